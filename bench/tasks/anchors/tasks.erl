%% Erlang's side of `./neo bench tasks`: one case a run, `name value unit` a line. One-scheduler cases are in processor time.
-module(tasks).
-export([main/1]).

show(Name, Value, Unit) -> io:format("~s ~.3f ~s~n", [Name, float(Value), Unit]).
spent() ->
    {T, _} = erlang:statistics(runtime),
    T * 1000000.
wall() -> erlang:monotonic_time(nanosecond).

main([Case]) ->
    case Case of
        "pingpong2" -> pingpong2(50000);
        "select" -> select();
        "hogs" -> hogs()
    end,
    halt(0).

best(1, F) -> F();
best(N, F) -> min(F(), best(N - 1, F)).

%% Across two schedulers, in wall time.
pingpong2(N) ->
    Me = self(),
    show("pingpong_two_workers", best(3, fun() ->
        spawn_opt(fun() ->
            Echo = spawn_opt(fun echo/0, [{scheduler, 2}]),
            T = wall(),
            ping(N, Echo),
            Me ! {took, (wall() - T) / N},
            Echo ! stop
        end, [{scheduler, 1}]),
        receive {took, Ns} -> Ns end
    end), "ns").
echo() -> receive {From, X} -> From ! X, echo(); stop -> ok end.
ping(0, _) -> ok;
ping(N, Echo) -> Echo ! {self(), N}, receive N -> ping(N - 1, Echo) end.

select() ->
    N = 1000000,
    show("select_ready", best(3, fun() -> T = spent(), ready(N), (spent() - T) / N end), "ns"),
    M = 300000,
    show("select_blocking", best(3, fun() ->
        Server = spawn(fun server/0),
        T = spent(),
        ask(M, Server),
        (spent() - T) / M
    end), "ns").
ready(0) -> ok;
ready(N) ->
    case N band 1 of 0 -> self() ! {a, N}; 1 -> self() ! {b, N} end,
    receive {a, _} -> ok; {b, _} -> ok after 3600000 -> late end,
    ready(N - 1).
server() -> receive {a, P, X} -> P ! X, server(); {b, P, X} -> P ! X, server() after 3600000 -> ok end.
ask(0, _) -> ok;
ask(N, S) ->
    case N band 1 of 0 -> S ! {a, self(), N}; 1 -> S ! {b, self(), N} end,
    receive N -> ask(N - 1, S) end.

%% A sleep of a millisecond while every scheduler computes.
hogs() ->
    [spawn(fun hog/0) || _ <- lists:seq(1, erlang:system_info(schedulers_online))],
    Late = lists:sort([begin T = wall(), receive after 1 -> ok end, (wall() - T - 1000000) / 1000 end || _ <- lists:seq(1, 100)]),
    show("sleep_1ms_busy", lists:nth(50, Late), "us").
hog() -> fib(18), hog().
fib(N) when N < 2 -> N;
fib(N) -> fib(N - 1) + fib(N - 2).
