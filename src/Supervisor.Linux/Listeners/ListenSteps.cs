using System.Globalization;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Listeners.Options;
using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Listeners;

/// <summary>listen(), read back and recorded.</summary>
internal static class ListenSteps
{
    /// <summary>
    /// Listens. On a socket that listens already, it only changes the queue's limit (net/ipv4/af_inet.c, __inet_listen_sk).
    /// </summary>
    public static SystemCallFailure? Listen(SocketTarget target, int backlog)
    {
        if (Sockets.Listen(target.Descriptor, backlog) is { } error)
        {
            target.History.Add(
                HandlePhase.Listen, "listen", "backlog", OptionValue.Of(backlog), errno: error.Name,
                verdict: Verdict.Refused, note: error.Text);
            return error.With(backlog.ToString(CultureInfo.InvariantCulture));
        }

        Files.GetStatus(target.Descriptor, out var status);
        var effective = AcceptQueue.Read(target.Descriptor, target.Spec.Address.Kind, status.Inode)?.Limit;
        var somaxconn = effective is null || effective < backlog ? Sysctl.ReadNumber("net.core.somaxconn") : null;
        target.History.Add(
            HandlePhase.Listen, "listen", "backlog", OptionValue.Of(backlog), effective is { } limit ? OptionValue.Of(limit) : null,
            verdict: effective is null || effective == backlog ? Verdict.Exact : Verdict.Adjusted,
            note: ReadBack.ExplainBacklog(backlog, effective, somaxconn));
        return null;
    }
}
