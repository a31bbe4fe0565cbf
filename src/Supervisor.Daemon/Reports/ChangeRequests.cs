using System.Globalization;
using Serilog;
using Supervisor.Core;
using Supervisor.Linux;
using Supervisor.Linux.Output;

namespace Supervisor.Daemon.Reports;

/// <summary>Records who requested which change: as an event and in the log. On the loop.</summary>
/// <param name="events">The event stream.</param>
/// <param name="limit">Limits what anybody can cause.</param>
/// <param name="log">The log.</param>
internal sealed class ChangeRequests(EventLog events, LogLimit limit, ILogger log)
{
    /// <summary>How many denied requests of a user are reported in a minute: anybody can cause them.</summary>
    private const int MostDenied = 60;

    /// <summary>A request that no right permits.</summary>
    public void Denied(string what, string? service, string missing, Requester by, string? listener = null) =>
        limit.Write(string.Create(CultureInfo.InvariantCulture, $"uid {by.Uid}"), "denied", (limited, leftOut) =>
        {
            events.Denied(what, missing, by, service, listener);
            limited.Kind(MessageIds.RequestDenied).Warning(
                "{What} by {Requester} is denied: {Missing} is missing{LeftOut}", what, by.ToString(), missing, leftOut);
        }, MostDenied);

    /// <summary>A change of a service.</summary>
    public void OfService(string service, string what, Requester by)
    {
        events.Requested($"service {service}: {what}", by, service);
        log.Kind(MessageIds.ChangeRequested).Service(service).Information(
            "service {Service}: {What} requested by {Requester}", service, what, by.ToString());
    }

    /// <summary>A change of a listener.</summary>
    public void OfListener(string listener, string what, Requester by)
    {
        events.Requested($"listener {listener}: {what}", by, listener: listener);
        log.Kind(MessageIds.ChangeRequested).Listener(listener).Information(
            "listener {Listener}: {What} requested by {Requester}", listener, what, by.ToString());
    }

    /// <summary>A change of the whole daemon.</summary>
    public void OfDaemon(string what, Requester by)
    {
        events.Requested(what, by);
        log.Kind(MessageIds.ChangeRequested).Information("{What} requested by {Requester}", what, by.ToString());
    }
}
