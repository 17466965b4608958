%% Runs schedules (see schedules.cpp) on Erlang/OTP's own supervisor and prints what it did.
%%
%% usage: erl -noshell -s supervisor_trace main TERMS OUT
%%
%% Nothing of the supervisor is replaced. What it does is seen by Erlang's call tracing: its calls of exit/2 (stop and
%% kill), and of mark/1, which the children's start functions and the log handler call in the supervisor's own process.
%% The runner of a schedule is marked too; strictly monotonic time stamps put everything in one order.
-module(supervisor_trace).
-behaviour(supervisor).
-export([main/1, init/1, mark/1, start_worker/2, start_worker/3, start_sup/2, log/2, runner/2]).

-define(CONCURRENT, 48).
-define(CONCURRENT_TIMED, 400).

main([In, Out]) ->
    logger:set_primary_config(level, error),
    logger:remove_handler(default),
    logger:add_handler(marks, ?MODULE, #{level => error}),
    erlang:trace_pattern({?MODULE, mark, 1}, true, []),
    erlang:trace_pattern({erlang, exit, 2}, true, []),
    {ok, Schedules} = file:consult(atom_to_list(In)),
    {Timed, Plain} = lists:partition(fun({_, T, _, _}) -> T end, Schedules),
    Writer = spawn_link(fun() ->
        {ok, File} = file:open(atom_to_list(Out), [write, raw, delayed_write]),
        writer(File, length(Schedules))
    end),
    Monitor = monitor(process, Writer),
    spawn_link(fun() -> pool(Timed, ?CONCURRENT_TIMED, 0, Writer) end),
    pool(Plain, ?CONCURRENT, 0, Writer),
    receive {'DOWN', Monitor, process, _, _} -> ok end,
    halt(0).

writer(File, 0) -> file:close(File);
writer(File, N) ->
    receive {result, Text} -> ok = file:write(File, Text), writer(File, N - 1) end.

pool([], _, 0, _) -> ok;
pool([S | Rest], Limit, Running, Writer) when Running < Limit ->
    spawn_monitor(fun() -> attempt(S, Writer, 8) end),
    pool(Rest, Limit, Running + 1, Writer);
pool(Rest, Limit, Running, Writer) ->
    receive
        {'DOWN', _, process, _, normal} -> pool(Rest, Limit, Running - 1, Writer);
        {'DOWN', _, process, _, Why} -> io:format(standard_error, "a schedule failed: ~p~n", [Why]), halt(1)
    end.

%% A timed schedule that was held up (its steps no longer fall into the seconds they belong to) is run again.
attempt({N, _, _, _} = S, Writer, Left) ->
    case catch trace(S) of
        {ok, Text} -> Writer ! {result, Text};
        late when Left > 1 -> timer:sleep(rand:uniform(2000)), attempt(S, Writer, Left - 1);
        late -> Writer ! {result, ["#", integer_to_list(N), "\nlate\n"]};
        Why -> exit({N, Why})
    end.

%% ---- one schedule: this process is the tracer ----------------------------------------------------------------------

trace({N, Timed, Root, Steps}) ->
    Table = ets:new(children, [public, set]),
    Self = self(),
    Runner = spawn(fun() -> receive {go, A} -> runner(Self, A) end end),
    Monitor = monitor(process, Runner),
    erlang:trace(Runner, true, [call, set_on_spawn, strict_monotonic_timestamp]),
    Runner ! {go, {Table, Timed, Root, Steps}},
    receive {'DOWN', Monitor, process, _, Why} -> ok end,
    case Why of normal -> ok; late -> ok; _ -> exit({runner, Why}) end,
    Pids = [P || {{process, P}, _} <- ets:tab2list(Table)],
    [exit(P, kill) || {{process, P}, _} <- ets:tab2list(Table)],
    Events = lists:sort(collect([Runner | Pids])),
    Crashed = [P || {{crashed, P}} <- ets:tab2list(Table)],
    ets:delete(Table),
    case Why of
        late -> late;
        normal -> {ok, ["#", integer_to_list(N), $\n | lines(Events, Runner, #{}, Crashed, #{})]}
    end.

collect(Pids) ->
    Refs = [erlang:trace_delivered(P) || P <- Pids],
    [receive {trace_delivered, _, R} -> ok end || R <- Refs],
    drain().
drain() ->
    receive
        {trace_ts, Pid, call, {_, mark, [What]}, Time} -> [{Time, Pid, What} | drain()];
        {trace_ts, Pid, call, {erlang, exit, [Whom, Why]}, Time} -> [{Time, Pid, {exit2, Whom, Why}} | drain()]
    after 0 -> []
    end.

%% Names: pid -> {id, is it a dynamic supervisor}.
lines([], _, _, _, _) -> [];
lines([{_, Runner, {exit2, _, _}} | Rest], Runner, Names, Crashed, Dead) -> lines(Rest, Runner, Names, Crashed, Dead);
lines([{_, Sup, {exit2, Pid, Why}} | Rest], Runner, Names, Crashed, Dead) ->
    %% Asking one that crashed before does nothing.
    case {lists:member(Pid, Crashed) , maps:find(Pid, Names)} of
        {false, {ok, {Id, _}}} ->
            {_, Dynamic} = maps:get(Sup, Names, {none, false}),
            Word = case Dynamic of true -> "dstop "; false -> "stop " end,
            [Word, atom_to_list(Id), $\s, atom_to_list(Why), $\n | lines(Rest, Runner, Names, Crashed, Dead)];
        _ -> lines(Rest, Runner, Names, Crashed, Dead)
    end;
lines([{_, _, {sup, Pid, Id, Dynamic}} | Rest], Runner, Names, Crashed, Dead) ->
    lines(Rest, Runner, Names#{Pid => {Id, Dynamic}}, Crashed, Dead);
lines([{_, _, {start, Id, Pid, Text}} | Rest], Runner, Names, Crashed, Dead) ->
    Names1 = case is_pid(Pid) andalso not is_map_key(Pid, Names) of
                 true -> Names#{Pid => {Id, false}};
                 false -> Names
             end,
    ["start ", atom_to_list(Id), $\s, Text, $\n | lines(Rest, Runner, Names1, Crashed, Dead)];
lines([{_, Sup, {report, Context, Reason, Offender}} | Rest], Runner, Names, Crashed, Dead) ->
    {_, Dynamic} = maps:get(Sup, Names, {none, false}),
    Text =
        case proplists:get_value(nb_children, Offender) of
            undefined ->
                Id = case Dynamic of
                         true ->
                             Pid = case proplists:get_value(pid, Offender) of {restarting, P} -> P; P -> P end,
                             case maps:find(Pid, Names) of {ok, {I, _}} -> I; error -> unknown end;
                         false -> proplists:get_value(id, Offender)
                     end,
                ["report ", atom_to_list(Context), $\s, atom_to_list(Id), $\s, show(Reason), $\n];
            Count -> lists:duplicate(Count, ["dreport ", atom_to_list(Context), " - ", show(Reason), $\n])
        end,
    [Text | lines(Rest, Runner, Names, Crashed, Dead)];
lines([{_, _, {text, Text}} | Rest], Runner, Names, Crashed, Dead) ->
    [Text, $\n | lines(Rest, Runner, Names, Crashed, Dead)].

show({shutdown, {failed_to_start_child, _, _} = F}) -> ["shutdown:", detail(F)];
show({shutdown, X}) -> ["shutdown:", atom_to_list(X)];
show({failed_to_start_child, _, _} = F) -> detail(F);
show(X) when is_atom(X) -> atom_to_list(X);
show(X) -> io_lib:format("~0p", [X]).
detail({failed_to_start_child, Id, R}) -> ["failed to start ", atom_to_list(Id), ": ", detail(R)];
detail({shutdown, X}) -> detail(X);
detail(X) -> show(X).

%% Traced; does nothing.
mark(_) -> ok.
mark_text(Parts) -> ?MODULE:mark({text, lists:flatten(Parts)}).

%% The log handler runs in the process that logs: the supervisor.
log(#{msg := {report, #{label := {supervisor, _}, report := Report}}}, _) ->
    ?MODULE:mark({report, proplists:get_value(errorContext, Report), proplists:get_value(reason, Report),
                  proplists:get_value(offender, Report)});
log(_, _) -> ok.

%% ---- children --------------------------------------------------------------------------------------------------------

%% A dynamic child: the supervisor's arguments and those of the request.
start_worker(Table, dynamic, Child) -> start_worker(Table, Child).
start_worker(Table, {worker, Id, _, _, _, OnStop, Outcomes}) ->
    N = ets:update_counter(Table, {starts, Id}, 1, {{starts, Id}, 0}),
    case N =< length(Outcomes) andalso lists:nth(N, Outcomes) of
        {fail, Why} -> ?MODULE:mark({start, Id, none, ["fail ", show(Why)]}), {error, Why};
        ignore -> ?MODULE:mark({start, Id, none, "ignore"}), ignore;
        _ ->
            Sup = self(),
            Pid = proc_lib:spawn_link(fun() -> process_flag(trap_exit, true), Sup ! {up, self()}, worker(Sup, OnStop) end),
            receive {up, Pid} -> ok end,
            ets:insert(Table, [{{child, Id}, Pid, Sup}, {{process, Pid}, Sup}]),
            ?MODULE:mark({start, Id, Pid, "ok"}),
            {ok, Pid}
    end.

%% proc_lib would report the crash; nobody listens to the level of such reports but log/2, which drops them.
worker(Sup, OnStop) ->
    receive
        {crash, Why} -> exit(Why);
        {'EXIT', Sup, shutdown} when OnStop =:= stubborn -> worker(Sup, OnStop);
        {'EXIT', Sup, shutdown} -> {obey, Why} = OnStop, exit(Why);
        {'EXIT', Sup, Why} -> exit(Why);
        {'EXIT', _, _} -> worker(Sup, OnStop)
    end.

start_sup(Table, {sup, Id, _, _, _, _, _, _, _} = Spec) ->
    Parent = self(),
    case supervisor:start_link(?MODULE, {Table, Spec, Parent}) of
        {ok, Pid} -> ?MODULE:mark({start, Id, Pid, "ok"}), {ok, Pid};
        {error, Why} -> ?MODULE:mark({start, Id, none, ["fail ", show(Why)]}), {error, Why}
    end.

init({Table, {sup, Id, _, _, Strategy, Intensity, Period, Auto, Children}, Parent}) ->
    ets:insert(Table, [{{child, Id}, self(), Parent}, {{sup, Id}, self()}, {{process, self()}, Parent}]),
    ?MODULE:mark({sup, self(), Id, Strategy =:= simple_one_for_one}),
    Flags = #{strategy => Strategy, intensity => Intensity, period => Period, auto_shutdown => Auto},
    ets:insert(Table, {{dynamic, self()}, Strategy =:= simple_one_for_one}),
    {ok, {Flags, case {Strategy, Children} of
                     {simple_one_for_one, [{worker, _, _, _, _, _, _} = Template]} ->
                         [(child_spec(Table, Template))#{start => {?MODULE, start_worker, [Table, dynamic]}}];
                     _ -> [child_spec(Table, C) || C <- Children]
                 end}}.

child_spec(Table, {worker, Id, Restart, Stop, Significant, _, _} = C) ->
    #{id => Id, start => {?MODULE, start_worker, [Table, C]}, restart => Restart, shutdown => Stop,
      significant => Significant, type => worker};
child_spec(Table, {sup, Id, Restart, Significant, _, _, _, _, _} = C) ->
    #{id => Id, start => {?MODULE, start_sup, [Table, C]}, restart => Restart, shutdown => infinity,
      significant => Significant, type => supervisor}.

%% ---- the runner: parent of the root, does the steps --------------------------------------------------------------------

runner(_Tracer, {Table, Timed, {sup, Id, _, _, _, _, _, _, _} = Root, Steps}) ->
    process_flag(trap_exit, true),
    Clock = case Timed of true -> erlang:monotonic_time(second) + 1; false -> none end,
    await(Clock),
    case start_sup(Table, Root) of
        {ok, Sup} ->
            settle(Table),
            states(Table),
            Clock1 = steps(Steps, 1, Sup, Table, Clock),
            case ets:lookup(Table, gone) of
                [] -> exit(Sup, shutdown), receive {'EXIT', Sup, Why} -> mark_text(["exit ", show(Why)]) end;
                [{gone, Why}] -> mark_text(["exit ", show(Why)])
            end,
            in_time(Clock1);
        {error, Why} -> mark_text(["exit ", show(Why)])
    end,
    _ = Id,
    ok.

%% Timed schedules do each step in the first part of its second, so that OTP's whole seconds and exact time agree.
await(none) -> ok;
await(Second) ->
    Now = erlang:monotonic_time(millisecond),
    timer:sleep(max(0, Second * 1000 + 100 + rand:uniform(500) - Now)).
in_time(none) -> ok;
in_time(Second) -> case erlang:monotonic_time(second) of Second -> ok; _ -> exit(late) end.

steps([], _, _, _, Clock) -> Clock;
steps([Step | Rest], K, Sup, Table, Clock) ->
    Clock1 = case Step of {tick, S} -> in_time(Clock), Clock + S; _ -> Clock end,
    case Step of {tick, _} -> await(Clock1); _ -> ok end,
    Result = step(Step, Table),
    settle(Table),
    mark_text(["step ", integer_to_list(K), $\s, Result]),
    receive
        {'EXIT', Sup, Why} -> ets:insert(Table, {gone, Why}), Clock1
    after 0 ->
        states(Table),
        steps(Rest, K + 1, Sup, Table, Clock1)
    end.

step({tick, _}, _) -> "done";
step({crash, List}, Table) ->
    Alive = [{Id, Pid, Sup, Why} || {Id, Why} <- List, {_, Pid, Sup} <- ets:lookup(Table, {child, Id}), is_process_alive(Pid)],
    case Alive of
        [] -> "skip";
        [{_, _, Sup, _} | _] ->
            Several = length(Alive) > 1,
            Several andalso sys:suspend(Sup),
            [crash(Pid, Sup, Why, Table) || {_, Pid, _, Why} <- Alive],
            Several andalso sys:resume(Sup),
            "done"
    end;
step({start, SupId, Child}, Table) ->
    with_sup(SupId, Table, fun(Sup) ->
        reply(supervisor:start_child(Sup, case dynamic(Sup, Table) of
                                              true -> [Child];
                                              false -> child_spec(Table, Child)
                                          end))
    end);
step({What, SupId, Id}, Table) ->
    with_sup(SupId, Table, fun(Sup) ->
        Name = case dynamic(Sup, Table) of
                   true when What =:= terminate ->
                       case ets:lookup(Table, {child, Id}) of [{_, Pid, _}] -> Pid; [] -> self() end;
                   _ -> Id
               end,
        reply(case What of
                  terminate -> supervisor:terminate_child(Sup, Name);
                  restart -> supervisor:restart_child(Sup, Name);
                  delete -> supervisor:delete_child(Sup, Name)
              end)
    end).

with_sup(Id, Table, F) ->
    case ets:lookup(Table, {sup, Id}) of
        [{_, Pid}] -> case is_process_alive(Pid) of true -> F(Pid); false -> "skip" end;
        [] -> "skip"
    end.

dynamic(Sup, Table) -> [{_, Is}] = ets:lookup(Table, {dynamic, Sup}), Is.

reply(ok) -> "ok";
reply({ok, undefined}) -> "ignored";
reply({ok, _}) -> "ok";
reply({error, {already_started, _}}) -> "already_started";
reply({error, simple_one_for_one}) -> "wrong_strategy";
reply({error, A}) when A =:= already_present; A =:= not_found; A =:= running; A =:= restarting -> atom_to_list(A);
reply({error, _}) -> "start_failed".

%% Ends a child and waits until its supervisor has the exit signal (the link is gone; the message is in the mailbox).
crash(Pid, Sup, Why, Table) ->
    ets:insert(Table, {{crashed, Pid}}),
    Below = below(Pid, Table),
    case Why of killed -> exit(Pid, kill); _ -> Pid ! {crash, Why} end,
    until(fun() -> not is_process_alive(Pid) andalso not linked(Sup, Pid) end),
    %% The children of a killed supervisor end by themselves.
    until(fun() -> not lists:any(fun is_process_alive/1, Below) end).

below(Pid, Table) ->
    Here = [P || {{process, P}, Parent} <- ets:tab2list(Table), Parent =:= Pid, is_process_alive(P)],
    Here ++ lists:append([below(P, Table) || P <- Here]).

linked(Sup, Pid) ->
    case process_info(Sup, links) of {links, Links} -> lists:member(Pid, Links); undefined -> false end.

until(F) -> until(F, 0).
until(F, N) ->
    case F() of
        true -> ok;
        false when N < 50 -> erlang:yield(), until(F, N + 1);
        false -> timer:sleep(1), until(F, N + 1)
    end.

%% Until every supervisor waits for a message and has none, in two looks that saw the same processes.
settle(Table) -> until(fun() -> look(Table) =/= busy andalso look(Table) =/= busy end).

look(Table) ->
    Sups = [{P, Parent} || {{process, P}, Parent} <- ets:tab2list(Table), ets:member(Table, {dynamic, P})],
    case lists:all(fun({P, Parent}) -> quiet(P, Parent) end, Sups) of
        true -> quiet;
        false -> busy
    end.
quiet(P, Parent) ->
    case process_info(P, [status, message_queue_len, current_function]) of
        undefined -> not linked(Parent, P);
        [{status, waiting}, {message_queue_len, 0}, {current_function, {gen_server, loop, _}}] -> true;
        _ -> false
    end.

states(Table) ->
    Sups = lists:sort([{Id, P} || {{sup, Id}, P} <- ets:tab2list(Table), is_process_alive(P)]),
    [state(Id, P, Table) || {Id, P} <- by_text(Sups)].
by_text(Sups) -> [{Id, P} || {_, Id, P} <- lists:sort([{atom_to_list(Id), Id, P} || {Id, P} <- Sups])].
state(Id, Sup, Table) ->
    Counts = supervisor:count_children(Sup),
    Children = case dynamic(Sup, Table) of
                   true -> [];
                   false -> [[$\s, atom_to_list(C), case P of undefined -> ":stopped"; restarting -> ":?"; _ -> ":runs" end]
                             || {C, P, _, _} <- lists:reverse(supervisor:which_children(Sup))]
               end,
    mark_text(["state ", atom_to_list(Id), " active ", integer_to_list(proplists:get_value(active, Counts)),
               " specs ", integer_to_list(proplists:get_value(specs, Counts)), Children]).
