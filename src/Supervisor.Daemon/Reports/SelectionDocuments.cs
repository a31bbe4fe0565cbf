using Supervisor.Control;
using Supervisor.Core.Listeners;
using Supervisor.Linux.Listeners;
using Supervisor.Linux.Steering;

namespace Supervisor.Daemon.Reports;

/// <summary>By what the kernel selects among the sockets of a listener.</summary>
public static class SelectionDocuments
{
    /// <summary>Of a living listener; null if it has one socket and is not to be steered. On the loop.</summary>
    internal static SelectionDocument? Of(ListenerHandle handle)
    {
        if (handle.Descriptor is null)
        {
            return null;
        }

        if (handle.Steering is not null || handle.Spec.IsSteered)
        {
            return handle.Steering is not null
                ? new SelectionDocument("bpf", null) { Active = true }
                : new SelectionDocument("none", handle.SteeringRefusal);
        }

        var means = ShardSteering.Means(handle);
        return handle.Sockets.Count + handle.Leaving.Count > 1
            ? new SelectionDocument(means.Word, means.WhyNot) { Active = handle.IsSteered }
            : null;
    }

    /// <summary>Of a configured listener, as this process would have it; null if it has one socket and is not to be steered.</summary>
    public static SelectionDocument? Of(ListenerSpec spec)
    {
        if (spec.Shards < 2 && !spec.IsSteered)
        {
            return null;
        }

        var means = KernelSelection.Of(spec.Address.Kind);
        var isShared = spec.IsSteered && means.Means != SelectionMeans.Program;
        return new SelectionDocument(isShared ? "none" : means.Word, means.WhyNot)
        {
            Name = spec.Name,
            Active = spec.IsSteered && !isShared,
        };
    }
}
