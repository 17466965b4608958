%% A list of 100 small integers (and of 100 floats) sent from one Erlang process to another, with a window of 1024.
%% Prints NAME NANOSECONDS for each message, the best of several rounds.
-module(anchor).
-export([main/0]).

main() ->
    Ints = lists:seq(1, 100),
    report("list100", Ints),
    report("floats100", [X * 1.0 || X <- Ints]),
    report("string100k", binary:copy(<<"s">>, 100000)),
    halt(0).

report(Name, Term) ->
    Best = lists:min([one(Term, 100000) || _ <- lists:seq(1, 7)]),
    io:format("~s ~.1f~n", [Name, Best]).

one(Term, Count) ->
    Self = self(),
    Sink = spawn_link(fun() -> sink(Self, Count, 0) end),
    Begin = erlang:monotonic_time(nanosecond),
    spawn_link(fun() -> Sink ! {source, self()}, source(Sink, Term, Count, 1024) end),
    receive finished -> ok end,
    (erlang:monotonic_time(nanosecond) - Begin) / Count.

sink(Owner, Count, 0) ->
    receive {source, Source} -> drain(Owner, Source, Count, 0) end.

drain(Owner, _, 0, _) -> Owner ! finished;
drain(Owner, Source, Left, 511) ->
    receive {item, _} -> Source ! more, drain(Owner, Source, Left - 1, 0) end;
drain(Owner, Source, Left, Seen) ->
    receive {item, _} -> drain(Owner, Source, Left - 1, Seen + 1) end.

source(_, _, 0, _) -> ok;
source(Sink, Term, Left, 0) ->
    receive more -> source(Sink, Term, Left, 512) end;
source(Sink, Term, Left, Window) ->
    Sink ! {item, Term},
    source(Sink, Term, Left - 1, Window - 1).
