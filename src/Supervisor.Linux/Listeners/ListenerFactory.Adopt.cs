using System.Globalization;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Listeners.Options;
using Supervisor.Core.Listeners.Plan;
using Supervisor.Linux.Evidence;
using Supervisor.Linux.Kernel;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Listeners;

/// <content>Configured listeners whose sockets another process has made.</content>
public sealed partial class ListenerFactory
{
    /// <summary>
    /// Takes over a descriptor that another process made, reads it back, and shows each difference from the configuration:
    /// what bind() has read is fixed, so nothing of it is changed here. The handle owns the descriptor afterwards.
    /// </summary>
    /// <param name="spec">What the configuration asks for.</param>
    /// <param name="descriptor">The descriptor.</param>
    /// <param name="origin">How it came here.</param>
    /// <param name="giver">The process that gave it; null where that is not known.</param>
    /// <param name="note">How it was recognised.</param>
    public ListenerHandle Adopt(ListenerSpec spec, DescriptorHandle descriptor, HandleOrigin origin, HistoryActor? giver, string note) =>
        Adopt(spec, [descriptor], origin, giver, note);

    /// <summary>
    /// The same for the shards of a listener, in their order. Where fewer were given than are configured, the missing ones are
    /// made beside them, which takes that they have SO_REUSEPORT: bind() has read that, and nobody changes it behind the
    /// giver's back.
    /// </summary>
    public ListenerHandle Adopt(ListenerSpec spec, IReadOnlyList<DescriptorHandle> descriptors, HandleOrigin origin, HistoryActor? giver, string note)
    {
        var handle = Prepare(spec);
        handle.Origin = origin;
        var several = spec.Shards > 1;
        for (var shard = 0; shard < descriptors.Count; shard++)
        {
            handle.WorkAt(shard, several);
            handle.Put(descriptors[shard]);
            handle.Failure ??= AdoptOne(handle, descriptors[shard], giver, note);
        }

        if (handle.Failure is null && spec.Shards > descriptors.Count)
        {
            AdoptRest(handle, descriptors.Count);
        }

        handle.WorkAt(0, isOneOfSeveral: false);
        if (handle.Failure is not null)
        {
            Abandon(handle);
            _log.Failed(handle);
        }
        else
        {
            _log.Made(handle);
        }

        return handle;
    }

    private void AdoptRest(ListenerHandle handle, int given)
    {
        var spec = handle.Spec with { Address = handle.Effective! };
        handle.WorkAt(0, isOneOfSeveral: true);
        if (OptionAccess.Get(handle.Descriptor!, SocketOptions.ReusePort) != OptionValue.Of(true))
        {
            var why = string.Create(
                CultureInfo.InvariantCulture,
                $"{given} of {spec.Shards} shards {(given == 1 ? "was" : "were")} given, without SO_REUSEPORT, so that no other can be bound beside: set ReusePort=yes in the socket unit, give all {spec.Shards}, or write shards = 1");
            handle.History.Add(HandlePhase.Adopt, "getsockopt", SocketOptions.ReusePort.Name, OptionValue.Of(true), OptionValue.Of(false), verdict: Verdict.Refused, actor: _self, note: why);
            handle.Failure = new SystemCallError("getsockopt", EINVAL).With(why);
        }
        else if (MakeShards(handle, ListenerPlan.For(spec, handle.Domain), given, spec.Shards, "fewer shards were given than are configured") is { } failure)
        {
            handle.Failure = failure;
            handle.Diagnosis = BindDiagnostics.Explain(failure, spec, handle.Domain, PredecessorsOf(handle.Spec), Evidence);
        }
    }

    /// <summary>Reads the socket back that is worked at; why it cannot be had, null where it can.</summary>
    private SystemCallFailure? AdoptOne(ListenerHandle handle, DescriptorHandle descriptor, HistoryActor? giver, string note)
    {
        var spec = handle.Spec;
        var identity = SocketIdentity.Read(descriptor);
        if (identity is null || identity.Kind != spec.Address.Kind)
        {
            handle.History.Add(HandlePhase.Adopt, "execve", verdict: Verdict.Refused, actor: giver, note: $"{note}; it is {identity?.Kind.Scheme() ?? "no socket that can listen"}, {spec.Address.Kind.Scheme()} is configured");
            return new SystemCallError("getsockopt", EINVAL).With($"the given descriptor is {identity?.Kind.Scheme() ?? "no socket that can listen"}, {spec.Address} is configured: give the right one, or none");
        }

        handle.Domain = identity.Domain;
        handle.History.Add(HandlePhase.Adopt, "execve", actor: giver, note: note);
        foreach (var step in ListenerPlan.Options(spec, identity.Domain))
        {
            var effective = OptionAccess.Get(descriptor, step.Option);
            var bound = step.Option.BoundedBy is { } sysctl ? Sysctl.ReadNumber(sysctl) : null;
            var same = effective == step.Value || (effective?.Number is { } number && step.Option.ReadNumber is 7 or 8 && number == step.Value.Number * 2);
            handle.History.Add(
                HandlePhase.Adopt, "getsockopt", step.Option.Name, step.Value, effective, verdict: same ? Verdict.Exact : Verdict.Inherited, actor: _self,
                note: same ? ReadBack.Explain(step.Option, step.Value, effective, bound) : "differs from the configuration: set by whoever made the socket");
            handle.Remember(step.Option, step.Value, effective, same ? Verdict.Exact : Verdict.Inherited);
        }

        if (spec.Address.Kind.Listens())
        {
            Files.GetStatus(descriptor, out var status);
            if (!identity.IsListening)
            {
                if (Listen(handle, spec.Listen.Backlog) is { } failure)
                {
                    return failure;
                }
            }
            else
            {
                var limit = AcceptQueue.Read(descriptor, identity.Kind, status.Inode)?.Limit;
                handle.History.Add(
                    HandlePhase.Adopt, "getsockopt", "backlog", OptionValue.Of(spec.Listen.Backlog), limit is { } got ? OptionValue.Of(got) : null,
                    verdict: limit is null || limit == spec.Listen.Backlog ? Verdict.Exact : Verdict.Inherited, actor: _self,
                    note: limit is null || limit == spec.Listen.Backlog ? null : "differs from the configuration: set by whoever made the socket");
            }
        }

        if (!identity.Matches(spec.Address))
        {
            handle.History.Add(
                HandlePhase.Adopt, "getsockname", "address", OptionValue.Of(spec.Address.ToString()), identity.Address is null ? null : OptionValue.Of(identity.Address.ToString()),
                verdict: Verdict.Inherited, actor: _self, note: "differs from the configuration: bound by whoever made the socket");
        }

        return Verify(handle);
    }
}
