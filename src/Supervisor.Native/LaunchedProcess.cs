using System.Runtime.InteropServices;

namespace Supervisor.Native;

/// <summary>
/// A child that may not have executed its program yet. Owns <see cref="Status"/> and the descriptors of <see cref="Pins"/>; the
/// caller that started it owns <see cref="Pidfd"/>.
/// </summary>
public sealed class LaunchedProcess : IDisposable
{
    /// <summary>A report and two paths.</summary>
    private const int PacketBytes = 64 + (2 * 4096);

    private readonly List<PinReport> _pins = [];
    private LaunchSlot? _slot;
    private ChildProcess.Failure? _failure;
    private bool _isDecided;
    private bool _isDisposed;

    /// <summary>A child with a status socket, or with a slot that knows how its launch went.</summary>
    internal LaunchedProcess(int pid, DescriptorHandle pidfd, DescriptorHandle? status, LaunchSlot? slot)
    {
        Pid = pid;
        Pidfd = pidfd;
        Status = status;
        _slot = slot;
        if (slot is not null)
        {
            LaunchChannel.Expect(pid);
            slot.Report(this);
        }
    }

    /// <summary>Process id. The launcher's first step makes it the leader of its own session.</summary>
    public int Pid { get; }

    /// <summary>The child's pidfd; the caller closes it.</summary>
    public DescriptorHandle Pidfd { get; }

    /// <summary>
    /// Becomes readable when the launch has succeeded or failed; an event loop can watch it. Non-blocking. Null if the child executes
    /// its program itself, without the launcher: the kernel writes to memory when it has, and <see cref="TryGetOutcome"/> shows that.
    /// </summary>
    public DescriptorHandle? Status { get; private set; }

    /// <summary>What the program is executed from, in the order of the reports. Complete when the outcome is known.</summary>
    public IReadOnlyList<PinReport> Pins => _pins;

    /// <summary>
    /// How the launch went, without waiting: false until it is known. A <paramref name="failure"/> names the step that failed,
    /// and the process exits with status 127. Null: the program was executed, or the launcher was killed, which the exit status
    /// shows.
    /// </summary>
    public bool TryGetOutcome(out ChildProcess.Failure? failure)
    {
        if (_slot is { IsDone: true })
        {
            _slot.Finish();
        }

        while (!_isDecided)
        {
            if (_slot is not null || !Receive())
            {
                failure = null;
                return false;
            }
        }

        failure = _failure;
        return true;
    }

    /// <summary>
    /// The child of the slot has executed a program or has failed. If the program is the launcher, its status socket has the outcome.
    /// </summary>
    internal void Complete(bool isByLauncher, SpawnOutcome outcome)
    {
        _slot = null;
        Status = LaunchChannel.Take(Pid, isByLauncher);
        if (Status is null)
        {
            Decide(outcome);
        }
        else if (_isDisposed)
        {
            Status.Dispose();
        }
    }

    /// <summary>Closes the status, and the descriptors of <see cref="Pins"/> that nobody has taken.</summary>
    public void Dispose()
    {
        _isDisposed = true;
        Status?.Dispose();
        foreach (var pin in TakePins())
        {
            pin.Descriptor?.Dispose();
        }
    }

    /// <summary>Hands the pins over to the caller, who owns their descriptors then.</summary>
    public IReadOnlyList<PinReport> TakePins()
    {
        PinReport[] all = [.. _pins];
        _pins.Clear();
        return all;
    }

    /// <summary>Reads one packet; false if there is none yet.</summary>
    private bool Receive()
    {
        Span<byte> packet = stackalloc byte[PacketBytes];
        var descriptors = new List<DescriptorHandle>();
        var length = DescriptorPassing.Receive(Status!, packet, descriptors, maxDescriptors: 1, wait: false, out _, out _, out var error);
        if (length < 0 && error is null)
        {
            return false;
        }

        if (length > Marshal.SizeOf<SpawnPinReport>())
        {
            Add(packet[..length], descriptors is [var descriptor] ? descriptor : null);
            return true;
        }

        descriptors.ForEach(one => one.Dispose());
        Decide(length == Marshal.SizeOf<SpawnOutcome>() ? MemoryMarshal.Read<SpawnOutcome>(packet) : default);
        return true;
    }

    private void Decide(SpawnOutcome outcome)
    {
        _isDecided = true;
        _failure = outcome.Stage == (int)SpawnStage.None
            ? null : new ChildProcess.Failure((SpawnStage)outcome.Stage, outcome.Error, outcome.Detail);
    }

    private void Add(ReadOnlySpan<byte> packet, DescriptorHandle? descriptor)
    {
        var head = MemoryMarshal.Read<SpawnPinReport>(packet);
        var paths = packet[Marshal.SizeOf<SpawnPinReport>()..];
        var end = paths.IndexOf((byte)0);
        _pins.Add(new PinReport(
            (PinKind)head.Pin, (PinUse)head.Use, head.Device, head.Inode,
            ByteText.Decode(paths[..Math.Max(end, 0)]), ByteText.Decode(paths[(end + 1)..]), descriptor));
    }
}
