using System.Globalization;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Listeners.Options;
using Supervisor.Core.Listeners.Plan;
using Supervisor.Linux.Kernel;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Listeners;

/// <summary>Takes over sockets that another process made for configured listeners, such as systemd by LISTEN_FDS.</summary>
public sealed class SocketAdopter
{
    private const string SetByMaker = "differs from the configuration: set by the process that made the socket";

    private readonly ListenerContext _context;
    private readonly ListenerBuilder _builder;
    private readonly ListenerSteerer _steerer;

    internal SocketAdopter(ListenerContext context, ListenerBuilder builder, ListenerSteerer steerer)
    {
        _context = context;
        _builder = builder;
        _steerer = steerer;
    }

    /// <summary>
    /// Takes over the sockets of a listener's shards, in their order, and records each difference from the configuration. What
    /// bind() has read is fixed, so nothing of it is changed. If fewer are given than are configured, the missing ones are made
    /// next to them; for that, the given ones must have SO_REUSEPORT. The handle owns the descriptors afterwards.
    /// </summary>
    /// <param name="spec">What the configuration asks for.</param>
    /// <param name="descriptors">The sockets, at least one.</param>
    /// <param name="origin">How they came here.</param>
    /// <param name="giver">The process that gave them; null if it is not known.</param>
    /// <param name="note">How they were recognised.</param>
    public ListenerHandle Adopt(
        ListenerSpec spec, IReadOnlyList<DescriptorHandle> descriptors, HandleOrigin origin, HistoryActor? giver, string note)
    {
        var handle = _context.NewHandle(spec);
        handle.Origin = origin;
        var history = _context.Record(handle);
        for (var shard = 0; shard < descriptors.Count; shard++)
        {
            handle.Put(shard, descriptors[shard]);
            handle.Failure ??= AdoptOne(new SocketTarget(handle, shard, spec.Shards > 1 ? history.ForShard(shard) : history), giver, note);
        }

        if (handle.Failure is null && spec.Shards > descriptors.Count)
        {
            MakeMissing(handle, descriptors.Count);
        }

        if (handle.Failure is not null)
        {
            _builder.Abandon(handle);
        }
        else
        {
            _steerer.Change(handle, spec);
        }

        _context.Log.Result(handle);
        return handle;
    }

    private void MakeMissing(ListenerHandle handle, int given)
    {
        var spec = handle.Spec with { Address = handle.Effective! };
        if (OptionAccess.Get(handle.Descriptor!, SocketOptions.ReusePort) != OptionValue.Of(true))
        {
            var why = string.Create(
                CultureInfo.InvariantCulture,
                $"only {given} of {spec.Shards} shards given, without SO_REUSEPORT, so no other socket can be bound next to them: ")
                + string.Create(
                    CultureInfo.InvariantCulture, $"set ReusePort=yes in the socket unit, give all {spec.Shards}, or set shards = 1");
            _context.Record(handle).ForShard(0).Add(
                HandlePhase.Adopt, "getsockopt", SocketOptions.ReusePort.Name, OptionValue.Of(true), OptionValue.Of(false),
                verdict: Verdict.Refused, note: why);
            handle.Failure = new SystemCallError("getsockopt", EINVAL).With(why);
        }
        else if (_builder.BuildShards(
            handle, ListenerPlan.For(spec, handle.Domain), given, spec.Shards,
            "fewer shards were given than are configured") is { } failure)
        {
            handle.Failure = failure;
            handle.Diagnosis = _context.Explain(failure, handle, spec);
        }
    }

    private static SystemCallFailure? AdoptOne(SocketTarget target, HistoryActor? giver, string note)
    {
        var spec = target.Spec;
        if (!spec.Address.Kind.IsSocket())
        {
            return AdoptOpened(target, giver, note);
        }

        var identity = SocketIdentity.Read(target.Descriptor);
        if (identity is null || identity.Kind != spec.Address.Kind)
        {
            var found = identity is null ? "not a socket that can listen" : $"a {identity.Kind.Scheme()} socket";
            target.History.AddOf(
                giver, HandlePhase.Adopt, "execve", Verdict.Refused, $"{note}: {found}, {spec.Address.Kind.Scheme()} is configured");
            return new SystemCallError("getsockopt", EINVAL).With(
                $"the given descriptor is {found}, {spec.Address} is configured: give the right one, or none");
        }

        target.Handle.Domain = identity.Domain;
        target.History.AddOf(giver, HandlePhase.Adopt, "execve", Verdict.Exact, note);
        foreach (var step in ListenerPlan.Options(spec, identity.Domain))
        {
            CompareOption(target, step);
        }

        if (spec.Address.Kind.Listens() && ListenOrCompare(target, identity) is { } failure)
        {
            return failure;
        }

        if (!identity.Matches(spec.Address))
        {
            target.History.Add(
                HandlePhase.Adopt, "getsockname", "address", OptionValue.Of(spec.Address.ToString()),
                identity.Address is null ? null : OptionValue.Of(identity.Address.ToString()),
                verdict: Verdict.Inherited, note: "differs from the configuration: bound by the process that made the socket");
        }

        return AddressSteps.Verify(target);
    }

    private static SystemCallFailure? AdoptOpened(SocketTarget target, HistoryActor? giver, string note)
    {
        var address = target.Spec.Address;
        if (!OpenedFile.Is(target.Descriptor, address))
        {
            target.History.AddOf(giver, HandlePhase.Adopt, "execve", Verdict.Refused, $"{note}: not {address}");
            return new SystemCallError("fstat", EINVAL).With($"the given descriptor is not {address}: give the right one, or none");
        }

        target.Handle.Domain = SocketDomain.None;
        target.History.AddOf(giver, HandlePhase.Adopt, "execve", Verdict.Exact, note);
        return OpenSteps.Verify(target);
    }

    private static void CompareOption(SocketTarget target, SetOptionStep step)
    {
        var option = step.Option;
        var effective = OptionAccess.Get(target.Descriptor, option);
        var bound = option.BoundedBy is { } sysctl ? Sysctl.ReadNumber(sysctl) : null;

        // The kernel doubles the size of a buffer.
        var isDoubled = option.IsReadLike(SocketOptions.ReceiveBuffer) || option.IsReadLike(SocketOptions.SendBuffer);
        var isSame = effective == step.Value || (isDoubled && effective?.Number is { } number && number == step.Value.Number * 2);
        var verdict = isSame ? Verdict.Exact : Verdict.Inherited;
        target.History.Add(
            HandlePhase.Adopt, "getsockopt", option.Name, step.Value, effective, verdict: verdict,
            note: isSame ? ReadBack.Explain(option, step.Value, effective, bound) : SetByMaker);
        target.Handle.Asked.Remember(option, step.Value, effective, verdict);
    }

    private static SystemCallFailure? ListenOrCompare(SocketTarget target, SocketIdentity identity)
    {
        var backlog = target.Spec.Listen.Backlog;
        if (!identity.IsListening)
        {
            return ListenSteps.Listen(target, backlog);
        }

        Files.GetStatus(target.Descriptor, out var status);
        var limit = AcceptQueue.Read(target.Descriptor, identity.Kind, status.Inode)?.Limit;
        var isSame = limit is null || limit == backlog;
        target.History.Add(
            HandlePhase.Adopt, "getsockopt", "backlog", OptionValue.Of(backlog), limit is { } got ? OptionValue.Of(got) : null,
            verdict: isSame ? Verdict.Exact : Verdict.Inherited, note: isSame ? null : SetByMaker);
        return null;
    }
}
