// Go's side of `./neo bench tasks`: one case a run, `name value unit` a line. One-worker cases are in processor time.
package main

import (
	"fmt"
	"os"
	"runtime"
	"sort"
	"sync"
	"syscall"
	"time"
)

func spent() float64 {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return float64(u.Utime.Nano() + u.Stime.Nano())
}

var origin = time.Now()

func wall() float64 { return float64(time.Since(origin)) }

func clock() func() float64 {
	if runtime.GOMAXPROCS(0) > 1 {
		return wall
	}
	return spent
}

func resident() float64 {
	data, _ := os.ReadFile("/proc/self/statm")
	var total, pages float64
	fmt.Sscan(string(data), &total, &pages)
	return pages * float64(os.Getpagesize())
}

func show(name string, value float64, unit string) { fmt.Printf("%s %.3f %s\n", name, value, unit) }

func best(rounds int, f func() float64) float64 {
	least := f()
	for i := 1; i < rounds; i++ {
		if v := f(); v < least {
			least = v
		}
	}
	return least
}

func spawn() {
	const n = 100000
	show("spawn_join_batch", best(5, func() float64 {
		var wg sync.WaitGroup
		wg.Add(n)
		t := spent()
		for i := 0; i < n; i++ {
			go wg.Done()
		}
		wg.Wait()
		return (spent() - t) / n
	}), "ns")
	show("spawn_join_serial", best(5, func() float64 {
		t := spent()
		for i := 0; i < n; i++ {
			var wg sync.WaitGroup
			wg.Add(1)
			go wg.Done()
			wg.Wait()
		}
		return (spent() - t) / n
	}), "ns")
}

func parked() {
	const n = 100000
	ch := make(chan int)
	var wg sync.WaitGroup
	wg.Add(n)
	runtime.GC()
	before := resident()
	for i := 0; i < n; i++ {
		go func() { wg.Done(); <-ch }()
	}
	wg.Wait()
	time.Sleep(100 * time.Millisecond)
	show("parked_bytes", (resident()-before)/n, "B")
	for i := 0; i < 1000; i++ {
		go time.Sleep(time.Hour)
	}
	time.Sleep(200 * time.Millisecond)
	cpu := spent()
	time.Sleep(time.Second)
	show("idle_cpu", (spent()-cpu)/1e6, "ms/s")
}

func pingpong() {
	const n = 300000
	show("pingpong", best(5, func() float64 {
		a, b := make(chan int), make(chan int)
		go func() {
			for v := range a {
				b <- v
			}
		}()
		t := spent()
		for i := 0; i < n; i++ {
			a <- i
			<-b
		}
		close(a)
		return (spent() - t) / n
	}), "ns")
}

func ints() {
	const n = 3000000
	now := clock()
	show("ints_1024", n*1e3/best(5, func() float64 {
		ch := make(chan int64, 1024)
		t := now()
		go func() {
			for i := int64(0); i < n; i++ {
				ch <- i
			}
			close(ch)
		}()
		var sum int64
		for v := range ch {
			sum += v
		}
		return now() - t
	}), "M/s")
}

func sel() {
	const n = 500000
	never := time.NewTimer(time.Hour)
	show("select_ready", best(5, func() float64 {
		a, b := make(chan int, 1), make(chan int, 1)
		sum := 0
		t := spent()
		for i := 0; i < n; i++ {
			if i&1 == 0 {
				a <- i
			} else {
				b <- i
			}
			select {
			case v := <-a:
				sum += v
			case v := <-b:
				sum += v
			case <-never.C:
			}
		}
		return (spent() - t) / n
	}), "ns")
	const m = 200000
	show("select_blocking", best(5, func() float64 {
		x, y, r := make(chan int), make(chan int), make(chan int)
		go func() {
			for {
				select {
				case v, ok := <-x:
					if !ok {
						return
					}
					r <- v
				case v := <-y:
					r <- v
				case <-never.C:
				}
			}
		}()
		t := spent()
		for i := 0; i < m; i++ {
			if i&1 == 0 {
				x <- i
			} else {
				y <- i
			}
			<-r
		}
		close(x)
		return (spent() - t) / m
	}), "ns")
}

func leaf(out chan int, num, size int) {
	if size == 1 {
		out <- num
		return
	}
	in := make(chan int)
	for i := 0; i < 10; i++ {
		go leaf(in, num+i*(size/10), size/10)
	}
	sum := 0
	for i := 0; i < 10; i++ {
		sum += <-in
	}
	out <- sum
}

func skynet() {
	ch := make(chan int)
	t := spent()
	go leaf(ch, 0, 1000000)
	if <-ch != 499999500000 {
		panic("skynet")
	}
	show("skynet", (spent()-t)/1e6, "ms")
	show("skynet_rss", resident()/1e6, "MB")
}

func overshoot(n int) float64 {
	var late []float64
	for i := 0; i < n; i++ {
		t := time.Now()
		time.Sleep(time.Millisecond)
		late = append(late, float64(time.Since(t))/1e3-1000)
	}
	sort.Float64s(late)
	return late[n/2]
}

func timers() {
	const n = 200000
	show("timer_add_cancel", best(5, func() float64 {
		all := make([]*time.Timer, n)
		t := spent()
		for i := range all {
			all[i] = time.NewTimer(time.Hour + time.Duration(i)*time.Millisecond)
		}
		for i := range all {
			all[i].Stop()
		}
		return (spent() - t) / n
	}), "ns")
	show("sleep_1ms_overshoot", overshoot(100), "us")
}

func main() {
	cases := map[string]func(){"spawn": spawn, "parked": parked, "pingpong": pingpong, "ints": ints, "select": sel,
		"skynet": skynet, "timers": timers}
	cases[os.Args[1]]()
}
