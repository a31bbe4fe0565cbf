namespace Supervisor.Core;

/// <summary>
/// The journal's MESSAGE_ID of each kind of log message (sd_journal_print(3)). A kind's id never changes and is never used again;
/// make one for a new kind with <c>systemd-id128 new</c>.
/// </summary>
public static class MessageIds
{
    /// <summary>A listener has its socket.</summary>
    public const string ListenerReady = "6f0a3d5c6d9b4c0b9d8f0a4f5be1a002";

    /// <summary>A listener cannot be made.</summary>
    public const string ListenerFailed = "6f0a3d5c6d9b4c0b9d8f0a4f5be1a003";

    /// <summary>A listener waits for its address to become free.</summary>
    public const string ListenerWaiting = "13c22923332a4318ac55e4c29ac27c24";

    /// <summary>A listener's address did not become free in time.</summary>
    public const string ListenerGivenUp = "2f51841fa4324bd99ae538bcf5725b7e";

    /// <summary>listend made a system call that configures a listener.</summary>
    public const string ListenerOption = "6f0a3d5c6d9b4c0b9d8f0a4f5be1a001";

    /// <summary>The kernel gave a listener less than configured.</summary>
    public const string ListenerClamped = "a1b796982eec4c8e89b4b7225cf3c4aa";

    /// <summary>The kernel refused or ignored an option of a listener.</summary>
    public const string ListenerOptionRefused = "39bc6d9fc03748a7bac328e20c3e690e";

    /// <summary>An adopted socket has another value than configured.</summary>
    public const string ListenerInheritedOption = "5e1ff48729174d039c0fe91f4b93d06a";

    /// <summary>A holder of a shared socket changed it.</summary>
    public const string ListenerDrifted = "6f0a3d5c6d9b4c0b9d8f0a4f5be1a008";

    /// <summary>A change by a holder was repaired.</summary>
    public const string ListenerRepaired = "6f0a3d5c6d9b4c0b9d8f0a4f5be1a009";

    /// <summary>A service was rolled back, so its listener keeps the previous socket.</summary>
    public const string ListenerReverted = "f6d102bda5494d91aeed767953ac1ba9";

    /// <summary>The previous socket of a listener is closed.</summary>
    public const string ListenerRetired = "e74fac2de0dd4287856c3789109e0a34";

    /// <summary>A shard of a listener is closed.</summary>
    public const string ListenerShardClosed = "c6cc36cbb5284730a3aa134b8b97b056";

    /// <summary>A client dropped a listener that was given.</summary>
    public const string ListenerDropped = "c504868187684e1ab21d367a7b9351a1";

    /// <summary>A listener that was given has no descriptor after a recovery.</summary>
    public const string ListenerLost = "3b7ac0990d004adfaa3e65fd853877db";

    /// <summary>A service waits for a listener that must be put.</summary>
    public const string ListenerAwaited = "07faab8b5e4b417d904efd0fd079d0c4";

    /// <summary>The descriptors in LISTEN_FDS cannot be used.</summary>
    public const string GivenDescriptorsInvalid = "bd22b8fc99d94f6592737a19a81103c5";

    /// <summary>An inherited descriptor that belongs to no listener is closed.</summary>
    public const string DescriptorClosed = "835a585c9aa04dc6871dfaf14e349a4d";

    /// <summary>A worker's program runs.</summary>
    public const string WorkerStarted = "3ee65d4ff96a4801a3b4e5412b048ba4";

    /// <summary>A worker is ready.</summary>
    public const string WorkerReady = "6f0a3d5c6d9b4c0b9d8f0a4f5be1a004";

    /// <summary>A worker was not ready within start_timeout.</summary>
    public const string WorkerStartTimedOut = "9f93c272d8424546bd1bee26920408e8";

    /// <summary>A worker missed its watchdog time.</summary>
    public const string WorkerHung = "76b9246a28ae464d94c8e5463c074c46";

    /// <summary>A worker that is old or large is being replaced.</summary>
    public const string WorkerRecycled = "77bc5864e918439c8fce0359fe5881d4";

    /// <summary>A worker that fails its liveness probe is being replaced.</summary>
    public const string WorkerUnhealthy = "8eb7413e2b3c4cb79a2bdb8e4e779bdd";

    /// <summary>A worker finishes its connections before it exits.</summary>
    public const string WorkerDraining = "404650766d1f4bdb929354993ba9736a";

    /// <summary>A worker announced by STOPPING=1 that it exits.</summary>
    public const string WorkerStopping = "ef3792d876814e36963ce462b653ab7e";

    /// <summary>A worker did not exit within stop_timeout and is killed.</summary>
    public const string WorkerKilled = "1c814907a07e4d639b43259b04fa0bd2";

    /// <summary>A worker's main process has exited, and other processes of the worker remain.</summary>
    public const string WorkerRemains = "006e1b9e3b9443388101e2dbc06a52c3";

    /// <summary>A worker did not exit after SIGKILL, and the daemon continues without it.</summary>
    public const string WorkerAbandoned = "9c1191e8cfa3422395502aa753748ed8";

    /// <summary>The kernel refused to send a signal to a worker.</summary>
    public const string WorkerSignalRefused = "73f61f3bedc94d51bc1215493702cf57";

    /// <summary>A worker that was to exit has exited.</summary>
    public const string WorkerExited = "8884dd4c60ab42e1afc9481f062f2274";

    /// <summary>A worker exited unexpectedly.</summary>
    public const string WorkerDied = "f7cce3ad19654f0c9dea7c97712f8d27";

    /// <summary>A worker could not be started.</summary>
    public const string WorkerStartFailed = "d36f07c51a3044bba236d02e808feb3a";

    /// <summary>A worker runs what its generation is pinned to, and the configuration leads elsewhere.</summary>
    public const string WorkerPinned = "641dd616bebb494cacaa5b56df6a5c38";

    /// <summary>What a generation is pinned to was removed or replaced.</summary>
    public const string WorkerPinLost = "b257738febf0470281ecc73545b14e48";

    /// <summary>A worker that keeps failing is started again after a pause.</summary>
    public const string WorkerBackingOff = "2ab6abc7908c48b799a2ff4d98bf87db";

    /// <summary>A stored descriptor was closed because of a hang-up or an error.</summary>
    public const string StoredDescriptorDropped = "17994cdb45914142b7eda6ee038801d0";

    /// <summary>A worker sent RESTART_RESET=1.</summary>
    public const string WorkerRestartsReset = "ef490fcdc373458a99c657dc95fe679a";

    /// <summary>The workers of a slot fail again and again, too slowly for restart.limit.</summary>
    public const string WorkerCrashLoop = "b36667ac6c1b4c4983e8aaa3760764e9";

    /// <summary>A worker reached restart.limit.</summary>
    public const string WorkerLimited = "c2dd659fc5ec4e7295122da9c0665c37";

    /// <summary>A worker exited and is not started again.</summary>
    public const string WorkerFinished = "4874e19e53ec4bef950b42ba9139c16f";

    /// <summary>A draining worker has connections left.</summary>
    public const string WorkerConnections = "96b4989fda344227a094237af8d86de6";

    /// <summary>A draining worker still accepts connections.</summary>
    public const string WorkerKeepsAccepting = "f282a69a2dc04b5891401387a0de38c5";

    /// <summary>A worker exited with connections open.</summary>
    public const string WorkerCut = "f8cd6b4d4f834780ba71f450956e07be";

    /// <summary>A worker wrote a line.</summary>
    public const string WorkerOutput = "6f0a3d5c6d9b4c0b9d8f0a4f5be1a006";

    /// <summary>A notify message was rejected.</summary>
    public const string WorkerMessageRejected = "00329a07f70a429eb2bb9e1a1ccb4e72";

    /// <summary>A worker named another main process.</summary>
    public const string WorkerMainChanged = "25b21b5fe5984e87ae88b1939b4660b9";

    /// <summary>A worker's first process exited and its main process continues.</summary>
    public const string WorkerMainExited = "8fc80a04598649f08f3dbf28ddd11d8a";

    /// <summary>A worker's first process exited and must be followed by a main process.</summary>
    public const string WorkerMainAwaited = "9193759eb373468c8f13e1fc25357e5f";

    /// <summary>A process outlived its worker and is killed.</summary>
    public const string OrphanKilled = "e77f68e89abc4a3ca584dba2e563fc3f";

    /// <summary>Processes of a worker could not all be killed.</summary>
    public const string OrphansRemain = "a98b4cb83a774bf8a4ee5b5d19acae71";

    /// <summary>A process of a dead daemon that is not in the state is told to exit.</summary>
    public const string OrphanStopped = "aba95bb6c9d749289798cd2250cd2f50";

    /// <summary>A service cannot be started.</summary>
    public const string ServiceBlocked = "34c9664a45ed4685b25b4ab300a42d00";

    /// <summary>A connection waits for a service that is started on demand.</summary>
    public const string ServiceDemanded = "520fb849f41d42df811e8156a61dd36b";

    /// <summary>The start or the roll-out of a service waits for other services.</summary>
    public const string ServiceHeld = "e3d779ee82e44428937876662cf16251";

    /// <summary>A service has had no connection for stop_when_idle.</summary>
    public const string ServiceIdle = "f8c4a16726cb4dc68e42a9a1fb186d80";

    /// <summary>A service is stopped.</summary>
    public const string ServiceStopped = "3cd538e326604de5a008bfd8958b0dc2";

    /// <summary>A roll-out began.</summary>
    public const string RolloutStarted = "0e43b159187c47a2ad860d38878a145a";

    /// <summary>A roll-out is in its next phase.</summary>
    public const string RolloutProgressed = "0f28647b56ab40c48df3be9941e02235";

    /// <summary>A roll-out waits for an older generation to exit.</summary>
    public const string RolloutWaiting = "dcae050e64ab485aaee8444ce59f34b9";

    /// <summary>A roll-out's canary serves.</summary>
    public const string RolloutCanary = "23ba2097daf04b6f9758d487efa28074";

    /// <summary>A roll-out's canary was promoted.</summary>
    public const string RolloutPromoted = "222cac99647d4df4ade99c9d3930a895";

    /// <summary>A roll-out fails.</summary>
    public const string RolloutFailing = "44a86f95648d4bb482358ac48f06a9c7";

    /// <summary>A roll-out ended: the new generation serves.</summary>
    public const string RolloutDone = "6f0a3d5c6d9b4c0b9d8f0a4f5be1a005";

    /// <summary>A roll-out ended: the previous generation serves again.</summary>
    public const string RolloutRolledBack = "17567690abbc4d539f0ab26d1031bc48";

    /// <summary>A roll-out ended: neither generation serves completely.</summary>
    public const string RolloutFailed = "16ab894b1004494083d655266111995d";

    /// <summary>A roll-out ended because of a later command.</summary>
    public const string RolloutSuperseded = "8f245da05edb4bb19819be02fe6da78d";

    /// <summary>A hook's program runs.</summary>
    public const string HookStarted = "e420d81010c1420eb69874a6b3829631";

    /// <summary>A hook failed.</summary>
    public const string HookFailed = "f183ed548aab47af8b388756fd946e08";

    /// <summary>A service logs to a journal that this host does not have.</summary>
    public const string JournalAbsent = "108916db9914462d907e78b50e00b836";

    /// <summary>A service's log file cannot be written.</summary>
    public const string LogFileFailed = "5c5673fee44b45a59403046c1cf49457";

    /// <summary>A service's log file can be written again.</summary>
    public const string LogFileRecovered = "0f929091814543cb9ea23fe3a66192ef";

    /// <summary>A service wrote lines faster than its log file could take them.</summary>
    public const string LogFileOverrun = "ec61a5be582b4a4f80fe83ceed544ab7";

    /// <summary>A log file was rotated and cannot be opened again.</summary>
    public const string LogFileNotReopened = "68babf641c9c4de083dfed61ca4cc54d";

    /// <summary>A reload was applied.</summary>
    public const string ReloadApplied = "9c87c578864f4ba3bd8c5272b3260f39";

    /// <summary>A difference of the configuration was applied at start.</summary>
    public const string ReloadAction = "7ee93a929d54420b948bae92240334b5";

    /// <summary>A configuration that was applied has a warning.</summary>
    public const string ReloadWarning = "4d7b6037925c49159cbae8e0b86ff04d";

    /// <summary>An error of a configuration that is rejected.</summary>
    public const string ReloadError = "3a1d09a709514105832eeb2183e576eb";

    /// <summary>A reload was rejected.</summary>
    public const string ReloadRefused = "0d2a24d6e80841d4acb544991bb269f6";

    /// <summary>The configuration changed while no daemon ran.</summary>
    public const string ConfigChanged = "e4197ed3d18945cda82ec0850c724a2a";

    /// <summary>The configuration names what this host does not have.</summary>
    public const string ConfigError = "c9ba34e0adbd463ba57e76863e6bc618";

    /// <summary>The daemon is ready.</summary>
    public const string DaemonReady = "6f0a3d5c6d9b4c0b9d8f0a4f5be1a007";

    /// <summary>The daemon has replaced its own program.</summary>
    public const string DaemonReExecuted = "d95bc33ce391447f9cf4d35f3ef2e2a3";

    /// <summary>The daemon has taken over from a running one.</summary>
    public const string DaemonTookOver = "29fe8afcc4d641cb8dcd1b476149f96f";

    /// <summary>The daemon has recovered from a previous daemon that died.</summary>
    public const string DaemonRecovered = "c8479cb5dbdf453c85c466630c29e2ef";

    /// <summary>The daemon was told to stop: it is not ready, and its workers drain after <c>daemon.stop_delay</c>.</summary>
    public const string DaemonStopDelayed = "5557685d35a74144926c3947ea3c3cce";

    /// <summary>The daemon stops: workers drain.</summary>
    public const string DaemonStopping = "b840ac7c8391420b9ce545546695bae4";

    /// <summary>The daemon was told to stop again: workers are killed.</summary>
    public const string DaemonStopForced = "aba2e789d5fc422fab35487a0edfacc1";

    /// <summary>The daemon exits for a restart: workers continue.</summary>
    public const string DaemonRestarting = "e922de4878e64342bae0ccba4b3e2a48";

    /// <summary>All workers have exited and the daemon exits.</summary>
    public const string DaemonStopped = "9088c6d2d8554146a1ba70e3a1a94341";

    /// <summary>The daemon cannot start: another one runs, or its state is not to be trusted.</summary>
    public const string DaemonRefused = "59591988517d4c5cbc281e5f301d7ef9";

    /// <summary>No listener could be made.</summary>
    public const string NothingToServe = "7431403836c24bb99b9aa2b8d8ce63ad";

    /// <summary>The control socket or the broker's socket cannot be opened.</summary>
    public const string ControlFailed = "6a81441581b74289acb687576c215262";

    /// <summary>The control socket cannot be served now.</summary>
    public const string ControlStalled = "77b38729032d4ad49a21deb10c04b6be";

    /// <summary>No client is connected to the control socket, and HTTP is stopped.</summary>
    public const string ControlIdle = "1d61df9a59b8459c9d9d401f9c58bb51";

    /// <summary>The metrics address cannot be served.</summary>
    public const string MetricsFailed = "552fbf2e9f724b42bd5a1de9c71e9d87";

    /// <summary>The service manager cannot be notified.</summary>
    public const string ManagerUnreachable = "afff1135bfbc4bfca5a18b9cb4096780";

    /// <summary>A new program was checked and replaces the daemon's.</summary>
    public const string UpgradeStarted = "4312b8b93c69420ca4622c2ed1b800da";

    /// <summary>A new program was rejected and the running daemon continues.</summary>
    public const string UpgradeRefused = "c1761e953b924ff18f33c9d8f594a3f6";

    /// <summary>The number of workers has changed because of <c>autoscale</c>.</summary>
    public const string ServiceAutoscaled = "140a6f1106644b7baf530fd4e3ee3adc";

    /// <summary>The kernel killed a worker, or a process of it, because there was no memory for it.</summary>
    public const string WorkerOutOfMemory = "cf1d321afbf44870822b2255d76c416c";

    /// <summary>A worker uses more memory than <c>limits.memory_high</c>.</summary>
    public const string WorkerMemoryHigh = "411b6a4aa8a54e3cbe853deb0ffcab1e";

    /// <summary>A limit of the workers' cgroups is not in force.</summary>
    public const string LimitRefused = "2187bfaac5f94242a988776bc4ef611e";

    /// <summary>The program of a probe cannot be run.</summary>
    public const string ProbeUnable = "7d0c5e0f3c5a4b0f9d6a1be2f4c81d37";

    /// <summary>A worker is replaced because of <c>liveness</c>, which no worker has passed.</summary>
    public const string ProbeNeverPassed = "b3f1e0a7c86d4f5a92d7401e6bc85f13";

    /// <summary>A client has requested a change.</summary>
    public const string ChangeRequested = "81b2eb5b10ad45a7aca259da43000c62";

    /// <summary>The kernel drops connections or datagrams at a listener.</summary>
    public const string ListenerOverflow = "4794997dca8d4f5896e8883c05837999";

    /// <summary>A new program could not be executed and the running daemon continues.</summary>
    public const string UpgradeFailed = "f4cb6a6ebf4b4a9d8a1460cb3b6629c9";

    /// <summary>Another daemon wants to take over.</summary>
    public const string TakeoverRequested = "f42a3eaaf4174e2ca0ebeff235e66e55";

    /// <summary>Another daemon wants to take over and may not.</summary>
    public const string TakeoverRefused = "0601853244964f44b4040da2c8a23e89";

    /// <summary>Another daemon has taken over, and this daemon exits.</summary>
    public const string TakeoverDone = "cfa77bc2440e49978dbf85ca33289dd2";

    /// <summary>Another daemon did not take over, and this daemon continues.</summary>
    public const string TakeoverFailed = "fd10dc4dbb19472297d07c91207b64da";

    /// <summary>A previous daemon has handed over and has not exited.</summary>
    public const string PredecessorRemains = "81d8fc9dbedb4982abec35451b27224c";

    /// <summary>The state that a previous daemon left cannot be used.</summary>
    public const string StateUnusable = "74aa7a962970420bbcefdd0162c0f9c1";

    /// <summary>The state file cannot be written.</summary>
    public const string StateNotWritten = "8dc400ef85244af59091a7b8d67f55d2";

    /// <summary>The state file can be written again.</summary>
    public const string StateWritten = "b28d7186c0ce4850a8c984fa57eb2d3f";

    /// <summary>The keeper cannot be started.</summary>
    public const string KeeperFailed = "d7d69cd8c2af4702bbd7e72ee0a76a67";

    /// <summary>The keeper exited.</summary>
    public const string KeeperExited = "92613ba00bc645c8a9eaa232562f58ad";

    /// <summary>The keeper could not take a descriptor.</summary>
    public const string KeeperRefused = "45714aff31e94994a1fab3c6d6ce8782";

    /// <summary>The disposer cannot be started.</summary>
    public const string DisposerFailed = "25003f6ff55349cea5d73696f0c3259b";

    /// <summary>The disposer exited.</summary>
    public const string DisposerExited = "ae2bdf7e5fda4d17afe6c5cefbf7db02";

    /// <summary>The disposer still closes too many descriptors of one owner.</summary>
    public const string DisposerBusy = "659bd60126d24c37a151388dc2f0f9fa";

    /// <summary>A client of the broker does not read its reply.</summary>
    public const string BrokerClientStalled = "b423d8f01a494fa38de73302f28b077a";

    /// <summary>Too many descriptors are in flight.</summary>
    public const string BrokerLimit = "19e8eb57857a46d2a75641cd7306514a";

    /// <summary>The broker cannot accept clients: no descriptor is free.</summary>
    public const string BrokerRejecting = "e81d1c14abb74e459e7c57ba0ea7dde1";

    /// <summary>A connection was closed, because its source has max_connections_per_source.</summary>
    public const string ConnectionsRefused = "5c8c7f0a0f7e4a4f9a52bb5f4bd0c3e1";

    /// <summary>max_connections or connection_rate is reached: connections wait in the accept queue.</summary>
    public const string ConnectionsWait = "b0a4f6b3c9f94d0f8f0f1f6f3d7c2a95";

    /// <summary>A connection could not be accepted.</summary>
    public const string AcceptFailed = "e4c1d0f5a7f34e2c8c1b7f9d52a6e830";

    /// <summary>The process of a connection has failed, or could not be started.</summary>
    public const string ConnectionFailed = "9d3f2b6ce8a1471fb6c05e7a94d18f2b";

    /// <summary>Log messages were dropped because their reader is too slow.</summary>
    public const string LogOverrun = "239d623fcb5b438ca7baf36c6d5dd0ec";

    /// <summary>A log message could not be written.</summary>
    public const string LogFailed = "d3ef3a7f12c14c5480113199eb5af012";

    /// <summary>Files of the daemon in the runtime directory were removed, and the daemon has made them again.</summary>
    public const string RuntimeFilesRestored = "829839822f9b46aaa455e119c1a1b316";

    /// <summary>Files of the daemon in the runtime directory were removed, and the daemon cannot make them again.</summary>
    public const string RuntimeFilesLost = "c2f561dd30c64070a114c48c7d704459";

    /// <summary>Lines of an environment file have no effect.</summary>
    public const string EnvironmentIgnored = "4c80ca71649c40cd96048ed9c66f7c73";

    /// <summary>A client has requested what it may not do.</summary>
    public const string RequestDenied = "c1b5a0d2f38e4e67a94d5c7be0219f83";

    /// <summary>The control socket cannot be given to the group of <c>daemon.control_group</c>.</summary>
    public const string ControlGroupRefused = "140b071e64f443d9bf04ff85b6fe0e30";
}
