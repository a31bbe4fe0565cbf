using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.Conflicts;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Listeners.Plan;
using Supervisor.Linux.Evidence;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Listeners;

/// <summary>
/// Makes the sockets of a listener: carries out a <see cref="ListenerPlan"/>, reads each value back, and records every call,
/// the refused ones too. Only a refusal that decides who owns the address ends the attempt, and one of socket, bind or listen.
/// </summary>
internal sealed class ListenerBuilder(ListenerContext context)
{
    private readonly SocketCreator _creator = new();
    private ListenerPlan? _previous;

    /// <summary>
    /// Makes the sockets; afterwards the handle has them, or a <see cref="ListenerHandle.Failure"/> and its diagnosis. A holder
    /// may close its socket between the refusal and the diagnosis, and no event would announce that: then the kernel is asked again.
    /// </summary>
    /// <param name="handle">A handle without sockets.</param>
    /// <param name="occasion">Why it is made, unless the daemon starts.</param>
    /// <param name="dropsIncoming">Whether the socket drops what arrives until new connections are steered.</param>
    public void Build(ListenerHandle handle, string? occasion = null, bool dropsIncoming = false)
    {
        const int mostAttempts = 3;
        for (var attempt = 1; attempt <= mostAttempts; attempt++)
        {
            TryFamilies(handle, occasion, dropsIncoming);
            if (handle.Diagnosis is not { } diagnosis || !BindDiagnostics.IsFleeting(diagnosis))
            {
                return;
            }
        }
    }

    /// <summary>
    /// Makes shards, next to those that the handle has. All are bound before the first one listens, because a listening socket
    /// gets its share of the connections. If the kernel chooses the port, it does so for shard 0, and the others use the same.
    /// </summary>
    /// <param name="handle">The listener; a socket that one of the shards has already is replaced, and the caller closes it.</param>
    /// <param name="plan">What to make.</param>
    /// <param name="from">The first shard.</param>
    /// <param name="to">The shard after the last one.</param>
    /// <param name="occasion">Why they are made, unless the daemon starts.</param>
    /// <param name="dropsIncoming">Whether the sockets drop what arrives until new connections are steered.</param>
    /// <returns>The refused call; null for none. Sockets made before it stay in the handle.</returns>
    public SystemCallFailure? BuildShards(
        ListenerHandle handle, ListenerPlan plan, int from, int to, string? occasion = null, bool dropsIncoming = false)
    {
        var history = context.Record(handle);
        if (from == 0)
        {
            handle.Group = new ReusePortGroup();
        }

        for (var shard = from; shard < to; shard++)
        {
            var one = shard == 0 ? plan : ListenerPlan.For(plan.Spec with { Address = handle.Effective! }, plan.Domain);
            var target = new SocketTarget(handle, shard, history.ForShard(shard));
            var beforeListen = one.Steps.Where(step => step is not ListenStep && step.Phase != HandlePhase.PostListen);
            var failure = Perform(target, beforeListen, occasion, dropsIncoming)
                ?? AddressSteps.Verify(target);
            if (failure is not null)
            {
                return failure;
            }

            // The kernel adds a socket to the group at listen(), or at bind() if it does not listen.
            if (!plan.Spec.Address.Kind.Listens())
            {
                handle.Group?.Join(target.Socket.Inode);
            }
        }

        for (var shard = from; shard < to; shard++)
        {
            var target = new SocketTarget(handle, shard, history.ForShard(shard));
            if (plan.Spec.Address.Kind.Listens())
            {
                if (ListenSteps.Listen(target, plan.Spec.Listen.Backlog) is { } failure)
                {
                    return failure;
                }

                handle.Group?.Join(target.Socket.Inode);
            }

            if (Perform(target, plan.Steps.Where(step => step.Phase == HandlePhase.PostListen), occasion) is { } refused)
            {
                return refused;
            }
        }

        return null;
    }

    /// <summary>Closes the sockets of an attempt that failed, and removes the file that its bind() made.</summary>
    public void Abandon(ListenerHandle handle)
    {
        var history = context.Record(handle);
        context.DropSpare(handle);
        SocketLinks.Remove(handle, history);
        SocketFileSteps.Remove(handle, history);
        if (handle.Descriptor is not null)
        {
            history.Add(HandlePhase.Close, "close", note: "this attempt failed");
        }

        handle.Reset();
    }

    private void TryFamilies(ListenerHandle handle, string? occasion, bool dropsIncoming)
    {
        var spec = handle.Settled is { } address ? handle.Spec with { Address = address } : handle.Spec;
        foreach (var domain in ListenerPlan.Domains(spec.Address))
        {
            var plan = _previous = ListenerPlan.For(spec, domain, _previous);
            handle.Domain = domain;
            handle.Diagnosis = null;
            handle.Failure = spec.Shards > 1
                ? BuildShards(handle, plan, 0, spec.Shards)
                : BuildOne(handle, plan, occasion, dropsIncoming);
            if (handle.Failure is null)
            {
                context.Spares?.Keep(handle);
                SocketLinks.Make(handle, context.Record(handle));
                ListenerSteerer.BeginIfConfigured(context, this, handle);
                return;
            }

            Abandon(handle);

            // "*" falls back to IPv4 only if this host or namespace has no IPv6; any other refusal is final.
            if (handle.Spec.Bind.IPv6Only || handle.Failure.Errno is not (EAFNOSUPPORT or EADDRNOTAVAIL))
            {
                break;
            }
        }

        handle.Diagnosis = context.Explain(handle.Failure!, handle, spec);
    }

    private SystemCallFailure? BuildOne(ListenerHandle handle, ListenerPlan plan, string? occasion, bool dropsIncoming)
    {
        var target = new SocketTarget(handle, 0, context.Record(handle));
        return Perform(target, plan.Steps, occasion, dropsIncoming) ?? AddressSteps.Verify(target);
    }

    /// <summary>Makes the calls of a plan, in its order (<see cref="ListenerPlan.For"/>), until one fails.</summary>
    private SystemCallFailure? Perform(SocketTarget target, IEnumerable<PlanStep> steps, string? occasion, bool dropsIncoming = false)
    {
        foreach (var step in steps)
        {
            if (Perform(target, step, occasion, dropsIncoming) is { } failure)
            {
                return failure;
            }
        }

        return null;
    }

    private SystemCallFailure? Perform(SocketTarget target, PlanStep step, string? occasion, bool dropsIncoming)
    {
        switch (step)
        {
            case OpenStep:
                return OpenSteps.Open(target.Handle, target.History.For(occasion), _creator);
            case CreateStep create:
                return Create(target, create, occasion, dropsIncoming);
            case SetOptionStep set:
                return OptionSteps.Set(target, set);
            case SocketModeStep mode:
                SocketFileSteps.SetSocketMode(target, mode);
                return null;
            case BindStep bind:
                return AddressSteps.Bind(target, bind.Address);
            case PathOwnerStep owner:
                return SocketFileSteps.SetOwner(target, owner);
            case PathModeStep mode:
                SocketFileSteps.SetMode(target, mode);
                return null;
            case JoinGroupStep join:
                MulticastSteps.Join(target, join.Membership);
                return null;
            case ListenStep listen:
                return ListenSteps.Listen(target, listen.Backlog);
            default:
                throw new ArgumentOutOfRangeException(nameof(step), step, null);
        }
    }

    private SystemCallFailure? Create(SocketTarget target, CreateStep step, string? occasion, bool dropsIncoming)
    {
        var failure = _creator.Create(target.Handle, target.Shard, target.History.For(occasion), step);
        if (failure is null && dropsIncoming)
        {
            target.Handle.DropsIncoming = true;
            target.History.AddCall(
                HandlePhase.PreBind, "setsockopt", Sockets.DropIncoming(target.Descriptor), "SO_ATTACH_FILTER",
                "reload: drops what arrives until new connections are steered");
        }

        return failure;
    }
}
