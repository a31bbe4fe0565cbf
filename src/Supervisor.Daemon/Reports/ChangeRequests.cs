using Serilog;
using Supervisor.Core;
using Supervisor.Linux;

namespace Supervisor.Daemon.Reports;

/// <summary>Records who requested which change: as an event and in the log. On the loop.</summary>
/// <param name="events">The event stream.</param>
/// <param name="log">The log.</param>
internal sealed class ChangeRequests(EventLog events, ILogger log)
{
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
