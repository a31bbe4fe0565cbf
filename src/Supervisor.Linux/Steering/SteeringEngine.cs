using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Supervisor.Core.Listeners;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Steering;

/// <summary>
/// The program of one listener and its maps: it selects the sockets of a SO_REUSEPORT group, each by its slot. The kernel continues
/// to steer while no daemon runs. Owns the descriptors. Lives on the loop.
/// </summary>
public sealed class SteeringEngine : IDisposable
{
    /// <summary>The key of the program in the state, next to those of the maps.</summary>
    private const string ProgramName = "program";

    /// <summary>The name of the program in bpftool(8).</summary>
    private const string ProgramTitle = "listend_steer";

    private static readonly byte[] First = new byte[SteeringLayout.IndexSize];

    private readonly SteeringMaps _maps;
    private readonly DescriptorHandle _program;
    private readonly byte[] _route = new byte[SteeringLayout.RouteSize];
    private int _active;

    private SteeringEngine(SteeringTerms terms, SteeringMaps maps, DescriptorHandle program) =>
        (Terms, _maps, _program) = (terms, maps, program);

    /// <summary>What the program does.</summary>
    public SteeringTerms Terms { get; }

    private static IReadOnlyList<string> DescriptorNames { get; } = [.. SteeringMaps.Names, ProgramName];

    /// <summary>The descriptors for a successor, by the end of their key.</summary>
    public IEnumerable<KeyValuePair<string, DescriptorHandle>> Descriptors => [.. _maps.All, new(ProgramName, _program)];

    /// <summary>Whether Linux accepts a selection program for sockets of a kind.</summary>
    public static bool Supports(ListenerKind kind) => kind is ListenerKind.Tcp or ListenerKind.Udp;

    /// <summary>Creates the maps and loads the program; null, with the reason, if the kernel refuses.</summary>
    public static SteeringEngine? Create(SteeringTerms terms, out string? whyNot)
    {
        if (!Supports(terms.Kind))
        {
            whyNot = $"the kernel accepts no selection program for {terms.Kind.Scheme()}://";
            return null;
        }

        if (SteeringMaps.Create(terms, out var error) is not { } maps)
        {
            whyNot = SteeringRefusal.Explain(error!.Value, null);
            return null;
        }

        var code = SteeringProgram.Assemble(terms, maps);
        var program = Bpf.LoadProgram(
            SteeringProgram.Type, SteeringProgram.AttachType, code, ProgramTitle, out error, out var log);
        if (program is null)
        {
            maps.Dispose();
            whyNot = SteeringRefusal.Explain(error!.Value, log);
            return null;
        }

        whyNot = null;
        return new SteeringEngine(terms, maps, program);
    }

    /// <summary>Continues with a predecessor's descriptors; null, and they are closed, if one that is needed did not arrive.</summary>
    /// <param name="terms">What the program does.</param>
    /// <param name="take">Gives a descriptor by the end of its key, which the engine owns afterwards; null if it did not arrive.</param>
    public static SteeringEngine? Restore(SteeringTerms terms, Func<string, DescriptorHandle?> take)
    {
        var given = new Dictionary<string, DescriptorHandle>(StringComparer.Ordinal);
        foreach (var name in DescriptorNames)
        {
            if (take(name) is { } descriptor)
            {
                given.Add(name, descriptor);
            }
        }

        Span<byte> active = stackalloc byte[SteeringLayout.ConfigSize];
        if (given.TryGetValue(ProgramName, out var program) && SteeringMaps.Restore(terms, given) is { } maps
            && Bpf.Lookup(maps.Config, First, active) is null)
        {
            return new SteeringEngine(terms, maps, program) { _active = BinaryPrimitives.ReadInt32LittleEndian(active) };
        }

        foreach (var descriptor in given.Values)
        {
            descriptor.Dispose();
        }

        return null;
    }

    /// <summary>
    /// Lets the program select in the group of that socket, which has SO_REUSEPORT. Before bind(), the group is the socket alone, and
    /// those that are bound to its address afterwards join it.
    /// </summary>
    public SystemCallError? Attach(DescriptorHandle socket)
    {
        Span<byte> descriptor = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(descriptor, _program.Number);
        return Sockets.SetBytes(socket, SOL_SOCKET, SO_ATTACH_REUSEPORT_EBPF, descriptor);
    }

    /// <summary>
    /// Gives a free slot to a socket that is bound, and listens if it can. What is recorded of the slot's former socket no longer
    /// counts. EINVAL if the socket is in no group, EBUSY if it has a slot already.
    /// </summary>
    public SystemCallError? Put(int slot, DescriptorHandle socket)
    {
        Span<byte> entry = stackalloc byte[SteeringLayout.SlotSize];
        var epoch = Read(slot).Epoch + 1;
        entry.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(entry[SteeringLayout.SlotEpoch..], epoch);
        return Bpf.Update(_maps.Slots, Key(slot, stackalloc byte[SteeringLayout.IndexSize]), entry) ?? Replace(slot, socket);
    }

    /// <summary>Gives a slot, and the flows that are recorded for it, to another socket.</summary>
    public SystemCallError? Replace(int slot, DescriptorHandle socket)
    {
        Span<byte> value = stackalloc byte[SteeringLayout.SocketSize];
        BinaryPrimitives.WriteInt64LittleEndian(value, socket.Number);
        return Bpf.Update(_maps.Sockets, Key(slot, stackalloc byte[SteeringLayout.IndexSize]), value);
    }

    /// <summary>
    /// Empties a slot: its flows are selected anew by the table. What the socket has received stays there. ENOENT if it is empty,
    /// as after the close of the socket.
    /// </summary>
    public SystemCallError? Remove(int slot)
    {
        RemoveCookies(slot);
        return Bpf.Delete(_maps.Sockets, Key(slot, stackalloc byte[SteeringLayout.IndexSize]));
    }

    /// <summary>
    /// Sends new connections and flows to the slots of a table, all at the same moment: it fills the route that is not in use, and
    /// then turns to it.
    /// </summary>
    /// <param name="table">A slot for each of <see cref="SteeringTable.Length"/> entries.</param>
    public SystemCallError? Turn(ReadOnlySpan<int> table)
    {
        var idle = Terms.Affinity?.Idle ?? TimeSpan.Zero;
        BinaryPrimitives.WriteInt64LittleEndian(
            _route.AsSpan(SteeringLayout.RouteIdle), (long)Math.Min(idle.TotalNanoseconds, long.MaxValue / 2));
        MemoryMarshal.AsBytes(table).CopyTo(_route.AsSpan(SteeringLayout.RouteTable));
        var next = 1 - _active;
        Span<byte> index = stackalloc byte[SteeringLayout.IndexSize];
        if (Bpf.Update(_maps.Routes, Key(next, index), _route) is { } refused)
        {
            return refused;
        }

        var error = Bpf.Update(_maps.Config, First, index);
        _active = error is null ? next : _active;
        return error;
    }

    /// <summary>What the kernel counts for a slot.</summary>
    public SlotReading Read(int slot)
    {
        Span<byte> entry = stackalloc byte[SteeringLayout.SlotSize];
        entry.Clear();
        Bpf.Lookup(_maps.Slots, Key(slot, stackalloc byte[SteeringLayout.IndexSize]), entry);
        return new SlotReading(
            BinaryPrimitives.ReadInt64LittleEndian(entry[SteeringLayout.SlotSelected..]),
            BinaryPrimitives.ReadInt64LittleEndian(entry[SteeringLayout.SlotRecorded..]),
            TimeSpan.FromTicks(BinaryPrimitives.ReadInt64LittleEndian(entry[SteeringLayout.SlotLastSeen..]) / TimeSpan.NanosecondsPerTick),
            BinaryPrimitives.ReadUInt32LittleEndian(entry[SteeringLayout.SlotEpoch..]));
    }

    /// <summary>
    /// Sends packets whose connection id begins with <paramref name="cookie"/>, 8 bytes, to a slot. E2BIG if there are too many.
    /// </summary>
    public SystemCallError? AddCookie(ReadOnlySpan<byte> cookie, int slot)
    {
        Span<byte> value = stackalloc byte[SteeringLayout.CookieValueSize];
        BinaryPrimitives.WriteInt32LittleEndian(value[SteeringLayout.CookieSlot..], slot);
        BinaryPrimitives.WriteUInt32LittleEndian(value[SteeringLayout.CookieEpoch..], Read(slot).Epoch);
        return Bpf.Update(_maps.Cookies!, cookie, value);
    }

    /// <summary>How many recorded flows are there, and how many of each slot live. Reads the whole map.</summary>
    /// <param name="now">The time of CLOCK_MONOTONIC.</param>
    /// <param name="live">Receives the number of living flows of each slot.</param>
    public int CountFlows(TimeSpan now, Dictionary<int, int> live)
    {
        live.Clear();
        if (_maps.Flows is not { } flows || Terms.Affinity is not { } affinity)
        {
            return 0;
        }

        var epochs = new Dictionary<int, uint>();
        var all = 0;
        foreach (var flow in FlowReader.ReadAll(flows))
        {
            all++;
            if (!epochs.TryGetValue(flow.Slot, out var epoch))
            {
                epochs[flow.Slot] = epoch = Read(flow.Slot).Epoch;
            }

            if (flow.Epoch == epoch && now - flow.LastSeen <= affinity.Idle)
            {
                live[flow.Slot] = live.GetValueOrDefault(flow.Slot) + 1;
            }
        }

        return all;
    }

    /// <summary>
    /// The same sockets and table with other terms: a program that takes effect when it is attached. The recorded flows go along.
    /// Null, with the reason, if the kernel refuses.
    /// </summary>
    public SteeringEngine? With(SteeringTerms terms, out string? whyNot)
    {
        if (_maps.With(Terms, terms, out var error) is not { } maps)
        {
            whyNot = SteeringRefusal.Explain(error!.Value, null);
            return null;
        }

        var program = Bpf.LoadProgram(
            SteeringProgram.Type, SteeringProgram.AttachType, SteeringProgram.Assemble(terms, maps), ProgramTitle, out error, out var log);
        if (program is null)
        {
            maps.DisposeOwn(_maps);
            whyNot = SteeringRefusal.Explain(error!.Value, log);
            return null;
        }

        whyNot = null;
        return new SteeringEngine(terms, maps, program) { _active = _active };
    }

    /// <summary>Disposes what <paramref name="other"/>, made by <see cref="With"/> from this one or the reverse, does not use.</summary>
    public void DisposeOwn(SteeringEngine other)
    {
        _maps.DisposeOwn(other._maps);
        _program.Dispose();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _maps.Dispose();
        _program.Dispose();
    }

    private void RemoveCookies(int slot)
    {
        if (_maps.Cookies is not { } cookies)
        {
            return;
        }

        foreach (var cookie in FlowReader.CookiesOf(cookies, slot))
        {
            Bpf.Delete(cookies, cookie);
        }
    }

    private static Span<byte> Key(int index, Span<byte> into)
    {
        BinaryPrimitives.WriteInt32LittleEndian(into, index);
        return into;
    }
}

/// <summary>What the kernel counts for a slot.</summary>
/// <param name="Selected">Connections, or flows with affinity, that the table has given to it.</param>
/// <param name="Recorded">Flows that were recorded for it.</param>
/// <param name="LastSeen">When its last datagram came, with affinity: CLOCK_MONOTONIC_COARSE; zero for never.</param>
/// <param name="Epoch">Changes when the slot gets another socket.</param>
public readonly record struct SlotReading(long Selected, long Recorded, TimeSpan LastSeen, uint Epoch);
