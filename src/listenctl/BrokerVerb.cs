using Supervisor.Control;
using Supervisor.Core.Protocols;
using Supervisor.Linux.Handoff;
using Supervisor.Native;

namespace Supervisor.Listenctl;

/// <summary>A verb that asks the broker, whose socket lies beside the control socket.</summary>
internal abstract class BrokerVerb(string name, string description, string usage, GlobalOptions options, CommandContext standard)
    : Verb(name, description, usage, options, standard)
{
    /// <summary>
    /// Asks; a refusal is a <see cref="ControlException"/>: exit 4 where it is not permitted, else 1. The caller disposes of
    /// the answer.
    /// </summary>
    protected static BrokerAnswer Ask(ControlClient client, ReadOnlySpan<byte> request, DescriptorHandle? rider = null)
    {
        var path = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(client.SocketPath))!, Path.GetFileName(new RuntimePaths("/").BrokerSocket));
        using var broker = BrokerClient.Connect(path, ControlClient.AnswerTimeout, out var refused) ?? throw Unreachable(path, refused);
        client.RequireDaemon();
        BrokerAnswer answer;
        try
        {
            answer = broker.Ask(request, rider);
        }
        catch (IOException error)
        {
            client.RequireDaemon();
            throw new ControlException($"the broker at {path}: {error.Message}", ExitCode.Unreachable);
        }

        return answer.Error is null
            ? answer
            : throw new ControlException($"{answer.Error} ({answer.Code})", answer.Is(BrokerErrorCode.Denied) ? ExitCode.NotPermitted : ExitCode.Failed)
            {
                Document = answer.Is(BrokerErrorCode.Denied) ? (ReadOnlyMemory<byte>?)null : answer.Packets[^1],
            };
    }

    /// <summary>Prints a document of one field, or the line for people.</summary>
    protected void Done(string line, bool json)
    {
        if (json)
        {
            Json.Write(CommandContext.Output, "{\"ok\":true}"u8.ToArray());
        }
        else
        {
            new Screen(CommandContext).Line(line);
        }
    }

    private static ControlException Unreachable(string path, SystemCallError error)
    {
        const int notPermitted = 1, accessDenied = 13;
        return error.Errno is notPermitted or accessDenied
            ? new ControlException($"not permitted to connect to {path}: {error.Name}", ExitCode.NotPermitted)
            : new ControlException(
                $"cannot reach listend's broker at {path}: {error.Name}\nIs it running? \"systemctl status listend\", or start it with \"listend run\". Its socket lies beside the control socket, which --socket PATH names.",
                ExitCode.Unreachable);
    }
}
