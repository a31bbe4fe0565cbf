using System.Collections.Immutable;
using Serilog;
using Supervisor.Core;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.State;
using Supervisor.Daemon.Model;
using Supervisor.Linux;
using Supervisor.Linux.Handoff;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;
using Supervisor.Linux.Performance;
using Supervisor.Native;

namespace Supervisor.Daemon.Runtime;

/// <summary>Opens the listeners of a configuration: adopts those that LISTEN_FDS passes, and makes the others.</summary>
internal static class ListenerOpening
{
    /// <summary>
    /// Adds a listener to the table for each of <paramref name="specs"/>, in their order. A listener that cannot be made has no socket.
    /// </summary>
    public static void Open(
        ListenerTable table, ListenerFactory factory, ImmutableArray<ListenerSpec> specs, Disposer disposer, ILogger log)
    {
        var inherited = InheritedDescriptors.FromEnvironment(out var complaint);
        if (complaint is not null)
        {
            log.Kind(MessageIds.GivenDescriptorsInvalid).Warning("LISTEN_FDS: {Complaint}", complaint);
        }

        var adopted = Adopt(factory, specs, inherited);
        CloseUnknown(inherited, disposer, log);
        using (BulkCreation.Prepare(specs.Length - adopted.Count))
        {
            foreach (var spec in specs)
            {
                table.Add(adopted.GetValueOrDefault(spec.Name) ?? factory.Create(spec));
            }
        }
    }

    /// <summary>By name first, because a name states the intention; then by the socket's address.</summary>
    private static Dictionary<string, ListenerHandle> Adopt(
        ListenerFactory factory, ImmutableArray<ListenerSpec> specs, InheritedDescriptors inherited)
    {
        var giver = inherited.Remaining.Count > 0 ? Parent() : null;
        var adopted = new Dictionary<string, ListenerHandle>(StringComparer.Ordinal);
        foreach (var spec in specs)
        {
            if (Take(inherited, spec, (name, _) => IsNameOf(name, spec)) is { Count: > 0 } taken)
            {
                adopted.Add(spec.Name, Adopt($"LISTEN_FDS, by its name \"{spec.Name}\"", spec, taken));
            }
        }

        foreach (var spec in specs.Where(spec => !adopted.ContainsKey(spec.Name)))
        {
            if (Take(inherited, spec, (_, socket) => SocketIdentity.IsOf(socket, spec.Address)) is { Count: > 0 } taken)
            {
                adopted.Add(spec.Name, Adopt($"LISTEN_FDS, by its address {spec.Address}", spec, taken));
            }
        }

        return adopted;

        ListenerHandle Adopt(string how, ListenerSpec spec, List<DescriptorHandle> taken) =>
            factory.Adopter.Adopt(spec, taken, HandleOrigin.InheritedSystemd, giver, how);
    }

    private static bool IsNameOf(string name, ListenerSpec spec) =>
        name == spec.Name || DescriptorKey.ListenerName(name) == spec.Name || IsShard(name, spec);

    private static void CloseUnknown(InheritedDescriptors inherited, Disposer disposer, ILogger log)
    {
        while (inherited.Remaining.Count > 0)
        {
            var name = inherited.Remaining[0].Name;
            var descriptor = inherited.Take(0);
            log.Kind(MessageIds.DescriptorClosed).Warning(
                "inherited descriptor {Number} (\"{Name}\", {Address}): no listener has that name or address: closing it",
                descriptor.Number, name, SocketIdentity.Read(descriptor)?.Address?.ToString() ?? "no bound socket");

            // A worker of a daemon that has left no state may have stored it.
            disposer.Close("given", [descriptor]);
        }
    }

    private static bool IsShard(string key, ListenerSpec spec)
    {
        for (var shard = 1; shard < spec.Shards; shard++)
        {
            if (key == DescriptorKey.Shard(spec.Name, shard))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// The descriptors of the listener: at most one for each shard, in their order, all with the same address. A socket unit gives
    /// all its sockets the same name, even if they have different addresses.
    /// </summary>
    private static List<DescriptorHandle> Take(
        InheritedDescriptors inherited, ListenerSpec spec, Func<string, DescriptorHandle, bool> matches)
    {
        var taken = new List<DescriptorHandle>();
        ListenAddress? address = null;
        if (spec.Shards > 1)
        {
            address = inherited.Remaining.Where(one => matches(one.Name, one.Descriptor)).Select(one => SocketIdentity.Read(one.Descriptor))
                .FirstOrDefault(identity => identity?.Matches(spec.Address) == true)?.Address;
        }

        for (var i = 0; i < inherited.Remaining.Count && taken.Count < spec.Shards;)
        {
            var (name, descriptor) = inherited.Remaining[i];
            if (matches(name, descriptor) && (address is null || SocketIdentity.Read(descriptor)?.Address == address))
            {
                taken.Add(inherited.Take(i));
                address ??= spec.Shards > 1 ? SocketIdentity.Read(descriptor)?.Address : null;
            }
            else
            {
                i++;
            }
        }

        return taken;
    }

    private static HistoryActor? Parent() => ProcFile.Read(Processes.CurrentPid)?.ParentPid is { } pid and > 0
        ? new HistoryActor(pid, ProcFile.Command(pid) ?? "?")
        : null;
}
