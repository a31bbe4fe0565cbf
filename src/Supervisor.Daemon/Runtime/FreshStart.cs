using Serilog;
using Supervisor.Config.Validation;
using Supervisor.Core;
using Supervisor.Daemon.Model;
using Supervisor.Daemon.Performance;
using Supervisor.Daemon.Validation;
using Supervisor.Linux;
using Supervisor.Linux.Evidence;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;
using Supervisor.Native;

namespace Supervisor.Daemon.Runtime;

/// <summary>Starts a daemon that continues no previous one: sockets from LISTEN_FDS or newly bound, then services.</summary>
/// <remarks>Workers come last, when their listeners, the control socket and the broker exist.</remarks>
internal static class FreshStart
{
    /// <summary>Starts, serves and shuts down. The exit status: 0, or 1 if nothing can be served.</summary>
    public static int Run(StartRequest request)
    {
        using var parts = new DaemonParts(request);
        parts.Events.Daemon("daemon-started", $"listend {DaemonInfo.Version} started (pid {Processes.CurrentPid})");
        parts.Factory.ClearSpares();
        OpenListeners(parts, request);
        if (parts.HasNothingToServe && !parts.Listeners.Handles.Any(ConflictWatch.CanWait))
        {
            request.Log.Kind(MessageIds.NothingToServe).Fatal("no listener could be bound: nothing to serve");
            return 1;
        }

        using var endpoints = Endpoints.TryOpen(parts, request, null, out var error);
        if (endpoints is null)
        {
            request.Log.Kind(MessageIds.ControlFailed).Fatal("{Error}", error);
            parts.Listeners.Close();
            return 1;
        }

        // A failure of the metrics stops no service.
        parts.MetricsEndpoint.ApplyAsync(parts.Config.Current.Daemon).Wait(EvidenceBudget.AtStart);
        foreach (var spec in parts.Config.Current.Services)
        {
            parts.Events.Watch(parts.Services.Add(spec));
        }

        using var serving = new Serving(parts, endpoints, request);
        StartCollectionPause.Begin(parts.Services.Sum(runner => runner.State.Desired), parts.Listeners.Handles.Count);
        foreach (var runner in parts.Services)
        {
            runner.Requests.Activate();
        }

        foreach (var handle in parts.Listeners.Handles.Where(handle => handle.Descriptor is null).ToArray())
        {
            parts.Conflicts.Begin(handle);
        }

        serving.Announce();
        if (request.Info.ConfigFile is { } file && NeedsUsers(parts))
        {
            _ = Task.Run(() => LogHostErrors(file, request.Log));
        }

        return serving.Run();
    }

    private static void OpenListeners(DaemonParts parts, StartRequest request)
    {
        // Socket files of listeners belong to users.
        UserDirectory.Host.Refresh([.. parts.Config.Current.Listeners.SelectMany(AccountName.OwnersOf)]).GetAwaiter().GetResult();
        ListenerOpening.Open(parts.Listeners, parts.Factory, parts.Config.Current.Listeners, parts.Disposer, request.Log);
        parts.Listeners.Await(parts.Config.Current.Services, request.Log);
        foreach (var handle in parts.Listeners.Handles)
        {
            parts.Events.Watch(handle);
            SocketTakers.Record(handle);
        }
    }

    /// <summary>
    /// Whether something depends on users: a service that could not be started, a listener that only some users may take, or the
    /// group that reads the control socket.
    /// </summary>
    private static bool NeedsUsers(DaemonParts parts) =>
        parts.Config.Current.Daemon.ControlGroup is not null
            || parts.Services.Any(runner => runner.Requests.Blocked is not null || runner.Generations.Waits is not null)
            || parts.Listeners.Handles.Any(handle => !handle.Spec.Allow.IsEmpty);

    /// <summary>
    /// Logs the places where the configuration names a missing user. A start does not wait for the user database, and only the
    /// services of a missing user fail. Reads the files again, because their places are not kept. Not on the loop.
    /// </summary>
    private static void LogHostErrors(string file, ILogger log)
    {
        foreach (var error in ConfigLoading.Load(file, Profile.Started, ConfigLoading.Context).Errors)
        {
            log.Kind(MessageIds.ConfigError).Error("{Error}", error.ToString());
        }
    }
}
