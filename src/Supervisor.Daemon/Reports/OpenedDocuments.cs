using Supervisor.Control;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Listeners.Options;
using Supervisor.Linux.Listeners;
using Supervisor.Native;

namespace Supervisor.Daemon.Reports;

/// <summary>What a FIFO and a message queue keep of their settings, as the options of sockets are shown. On the loop.</summary>
internal static class OpenedDocuments
{
    public static IEnumerable<OptionDocument> Of(ListenerHandle handle, DescriptorHandle file)
    {
        var asked = handle.Spec.Opened;
        if (handle.Spec.Address.Kind == ListenerKind.Fifo && Pipes.GetSize(file) is { } size)
        {
            yield return Row(handle, "F_SETPIPE_SZ", HandlePhase.PreListen, asked.PipeSize, size, "fifo.pipe_size");
        }
        else if (handle.Spec.Address.Kind == ListenerKind.MessageQueue && MessageQueues.GetAttributes(file, out var queue) is null)
        {
            yield return Row(handle, "mq_maxmsg", HandlePhase.Create, asked.MaxMessages, queue.MaxMessages, "mqueue.max_messages");
            yield return Row(handle, "mq_msgsize", HandlePhase.Create, asked.MessageSize, queue.MessageSize, "mqueue.message_size");
        }
    }

    private static OptionDocument Row(ListenerHandle handle, string name, HandlePhase phase, int? asked, long now, string setting)
    {
        var verdict = asked is not { } value ? Verdict.Default
            : handle.History.Entries.LastOrDefault(entry => entry.Option == name && entry.Requested == OptionValue.Of(value)) is { } last
                ? last.Effective == OptionValue.Of(now) ? last.Verdict : Verdict.Drifted
            : value == now ? Verdict.Exact
            : Verdict.Inherited;
        return new OptionDocument(
            name, "file", phase.ToWireName(), asked is { } number ? new ScalarValue(number, null) : null, new ScalarValue(now, null),
            verdict.ToWireName(), setting);
    }
}
