using Supervisor.Control;
using Supervisor.Core.Protocols;
using Supervisor.Linux.Handoff;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Listenctl.Client;

/// <summary>Requests to the broker, whose socket is next to the control socket.</summary>
internal static class BrokerSession
{
    /// <summary>The document of a request that returns nothing.</summary>
    public static byte[] Done => "{\"ok\":true}"u8.ToArray();

    /// <summary>
    /// Sends one request and returns the answer, which the caller disposes. A refusal is a <see cref="ControlException"/>:
    /// exit status 4 where the broker does not permit the request, 1 otherwise.
    /// </summary>
    /// <param name="client">Names the control socket.</param>
    /// <param name="request">The packet.</param>
    /// <param name="descriptor">A descriptor to pass with the request; the caller keeps owning it.</param>
    public static BrokerAnswer Request(ControlClient client, ReadOnlySpan<byte> request, DescriptorHandle? descriptor = null)
    {
        var path = new RuntimePaths(client.Directory).BrokerSocket;
        using var broker = BrokerClient.Connect(path, ControlClient.AnswerTimeout, out var refused) ?? throw Unreachable(path, refused);
        client.RequireDaemon();
        BrokerAnswer answer;
        try
        {
            answer = broker.Ask(request, descriptor);
        }
        catch (IOException error)
        {
            client.RequireDaemon();
            throw new ControlException($"the broker at {path}: {error.Message}", ExitCode.Unreachable);
        }

        if (answer.Error is null)
        {
            return answer;
        }

        var message = $"{answer.Error} ({answer.Code})";
        throw answer.Is(BrokerErrorCode.Denied)
            ? new ControlException(message, ExitCode.NotPermitted)
            : new ControlException(message, ExitCode.Failed) { Document = answer.Packets[^1] };
    }

    private static ControlException Unreachable(string path, SystemCallError error)
    {
        return error.Errno is EPERM or EACCES
            ? new ControlException($"not permitted to connect to {path}: {error.Name}", ExitCode.NotPermitted)
            : new ControlException(
                $"cannot connect to listend's broker at {path}: {error.Name}\n" +
                "Start listend (\"systemctl start listend\" or \"listend run\"), or name its control socket with --socket PATH.",
                ExitCode.Unreachable);
    }
}
