using Supervisor.Control;
using Supervisor.Core.Diagnosis;

namespace Supervisor.Daemon.Control;

/// <summary>The table of the control interface's resources.</summary>
internal static class ControlRoutes
{
    private const string Json = "application/json";
    private const string Lines = "application/x-ndjson";
    private const string Plain = "text/plain";

    private static readonly int[] OfReading = [400, 403, 500];
    private static readonly int[] WithName = [400, 403, 404, 500];
    private static readonly int[] OfChange = [400, 403, 404, 409, 500];

    private static readonly RouteParameter Slot = new("worker", "integer", "only the worker of this slot, a number from 0");
    private static readonly RouteParameter Follow = new("follow", "boolean", "continue with new entries; otherwise the stream ends");
    private static readonly RouteParameter LastLines = new("lines", "integer", "only the last so many past entries");
    private static readonly RouteParameter Timeout =
        new("timeout_ms", "integer", "with wait: end the stream after so many milliseconds; the change continues");

    private static readonly RouteParameter Wait =
        new("wait", "boolean", "answer with a stream of each step, whose last document has an outcome");

    public static readonly ControlRoute Status = Get(
        "/v1/status", "The daemon and its services", Document<StatusDocument>(),
        [
            new("service", "string", "only this service"), new("services", "boolean", "false: without services"),
            new("usage", "boolean", "false: without connections, memory and processor time"),
        ], WithName);

    public static readonly ControlRoute Service = Get("/v1/services/{name}", "One service", Document<ServiceDocument>(), [], WithName);

    public static readonly ControlRoute Logs = Get(
        "/v1/services/{name}/logs", "The lines that the workers of a service wrote",
        new RouteAnswer(200, Lines, typeof(OutputLineDocument), "one document a line"), [Slot, Follow, LastLines], WithName);

    public static readonly ControlRoute Listeners = Get(
        "/v1/listeners", "All listeners, as the kernel has them now", Document<ListenerDocument>(isArray: true),
        [
            new("name", "string", "only this listener"), new("options", "boolean", "false: without socket options"),
            new("drift", "boolean", "false: without the look for options that a program has changed"),
        ], WithName);

    public static readonly ControlRoute Listener = Get("/v1/listeners/{name}", "One listener", Document<ListenerDocument>(), [], WithName);

    public static readonly ControlRoute History = new(
        "GET", "/v1/listeners/{name}/history", "What happened to a listener, oldest first", [Follow],
        [
            Document<HistoryEntryDocument>(isArray: true),
            new RouteAnswer(200, Lines, typeof(HistoryEntryDocument), "with follow: one document a line"),
        ],
        WithName);

    public static readonly ControlRoute Events = Get(
        "/v1/events", "The newest events, then new ones; the header Last-Event-ID continues after an event",
        new RouteAnswer(200, "text/event-stream", typeof(EventDocument), "server-sent events; data is one document"),
        [
            new("after", "integer", "continue after the event of this number"), new("service", "string", "only events of this service"),
            LastLines, new("follow", "boolean", "false: end with the newest event"),
        ], WithName);

    public static readonly ControlRoute Diagnose = Get(
        "/v1/diagnose", "Where connections or datagrams wait or are lost", Document<DiagnosisDocument>(),
        [
            new("listener", "string", "only this listener"),
            new("interval_ms", "integer", "the time between the two looks in milliseconds, at most 60000; 1000 without it"),
        ], WithName);

    public static readonly ControlRoute Connections = Get(
        "/v1/connections", "Accepted connections and those in accept queues", Document<ConnectionDocument>(isArray: true),
        [
            new("name", "string", "only those of this listener or service"),
            new("sort", "string", "the order, the largest first") { Values = ConnectionOrders.Names },
            new("limit", "integer", "only the first so many"),
        ], WithName);

    public static readonly ControlRoute Health = Get(
        "/healthz", "Whether the daemon's loop runs", new RouteAnswer(200, Plain, null, "it does"));

    public static readonly ControlRoute Ready = new(
        "GET", "/readyz", "Whether clients should be sent to this host", [],
        [new RouteAnswer(200, Plain, null, "they should"), new RouteAnswer(503, Plain, null, "they should not; a line for each reason")],
        OfReading);

    public static readonly ControlRoute Metrics = new(
        "GET", "/metrics", "The metrics", [],
        [
            new RouteAnswer(200, "text/plain; version=0.0.4", null, "the text format of Prometheus"),
            new RouteAnswer(200, "application/openmetrics-text; version=1.0.0", null, "OpenMetrics, if the client accepts it"),
        ],
        OfReading);

    public static readonly ControlRoute OpenApi = Get(
        "/openapi.json", "This description", new RouteAnswer(200, Json, null, "an OpenAPI document"));

    public static readonly ControlRoute Start = Change("start", "Start a service");

    public static readonly ControlRoute Stop = Change("stop", "Drain and stop the workers of a service; its listeners stay open");

    public static readonly ControlRoute Restart = Change("restart", "Replace the workers of a service by its roll-out strategy", Slot);

    public static readonly ControlRoute Promote = Change("promote", "Continue the roll-out of a canary");

    public static readonly ControlRoute Abort = Change("abort", "Return to the previous generation");

    public static readonly ControlRoute Scale = Post(
        "/v1/services/{name}/scale", "Change the number of workers of a service", [Document<ChangeDocument>()],
        [new("workers", "integer", "the number of workers, from 1") { IsRequired = true }]);

    public static readonly ControlRoute Signal = Post(
        "/v1/services/{name}/signal", "Send a signal to the workers of a service", [Document<SignalDocument>()],
        [
            new("signal", "string", "its name, with or without SIG, or its number") { IsRequired = true }, Slot,
            new("force", "boolean", "send it also to workers that it would end or stop"),
        ]);

    public static readonly ControlRoute Reload = Post(
        "/v1/reload", "Apply the configuration that is on disk",
        [Document<ReloadDocument>(), new RouteAnswer(200, Lines, typeof(ReloadDocument), "with wait: one document a line")],
        [new("dry_run", "boolean", "only answer with the plan"), Wait, Timeout], [400, 403, 422, 500]);

    public static readonly ControlRoute Upgrade = Post(
        "/v1/upgrade", "Execute the program that is on disk, in the same process",
        [new RouteAnswer(202, Json, typeof(UpgradeDocument), "the upgrade begins after this answer")], [], [400, 403, 409, 500]);

    /// <summary>All resources, in the order of the documentation.</summary>
    public static IReadOnlyList<ControlRoute> All { get; } =
    [
        Status, Service, Logs, Listeners, Listener, History, Events, Diagnose, Connections, Health, Ready, Metrics, OpenApi,
        Start, Stop, Restart, Promote, Abort, Scale, Signal, Reload, Upgrade,
    ];

    private static RouteAnswer Document<T>(bool isArray = false) => new(200, Json, typeof(T), "the document") { IsArray = isArray };

    private static ControlRoute Get(
        string pattern, string says, RouteAnswer answer, RouteParameter[]? parameters = null, int[]? problems = null) =>
        new("GET", pattern, says, parameters ?? [], [answer], problems ?? OfReading);

    private static ControlRoute Post(
        string pattern, string says, RouteAnswer[] answers, RouteParameter[] parameters, int[]? problems = null) =>
        new("POST", pattern, says, parameters, answers, problems ?? OfChange);

    private static ControlRoute Change(string verb, string says, params RouteParameter[] more) => Post(
        $"/v1/services/{{name}}/{verb}", says,
        [
            new RouteAnswer(202, Json, typeof(ChangeDocument), "the present state; the change continues"),
            new RouteAnswer(200, Lines, typeof(ChangeDocument), "with wait: one document a line"),
        ],
        [.. more, Wait, Timeout]);
}
