using Serilog;
using Supervisor.Core;
using Supervisor.Core.Listeners.Conflicts;
using Supervisor.Linux.Evidence;
using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Listeners;

/// <summary>
/// Listeners that could not be made, whose cause can clear automatically within their <c>on_conflict.wait</c>. Nothing is
/// polled: each try follows an event that can have cleared the cause. A listener that lacks its address or interface is watched
/// without a limit, also with <c>wait = "0s"</c>: it is bound when the address appears.
/// </summary>
/// <remarks>
/// <list type="bullet">
/// <item>An address appears, stops being tentative, or its interface comes up: rtnetlink(7)'s multicast groups.</item>
/// <item>The process that holds the address or has the connections exits: its pidfd.</item>
/// <item>A socket of the port is destroyed: sock_diag(7)'s SKNLGRP_INET_TCP_DESTROY and its siblings (Linux 4.3).</item>
/// <item>TIME_WAIT is over: a timer for the remaining time from sock_diag.</item>
/// </list>
/// Lives on the loop.
/// </remarks>
public sealed class ConflictWatch : IDeadline, IDisposable
{
    private static readonly TimeSpan TimerSlack = TimeSpan.FromMilliseconds(20);

    /// <summary>How long further events wait after a failed try: any user can cause thousands of events a second.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    /// <summary>The most holders whose pidfds are watched; the end of its socket announces any further holder's exit.</summary>
    private const int MostHolders = 64;

    private readonly EventLoop _loop;
    private readonly ListenerFactory _factory;
    private readonly ListenerLog _log;
    private readonly List<Wait> _waits = [];
    private readonly ConflictEvents _events;

    /// <summary>A watch without anything to wait for.</summary>
    public ConflictWatch(EventLoop loop, ListenerFactory factory, ILogger log)
    {
        _loop = loop;
        _factory = factory;
        _log = new ListenerLog(log, loop.Time);
        _events = new ConflictEvents(loop, OnAddresses, OnDestroyed);
        loop.Add(this);
    }

    /// <summary>Raised when a listener has its socket.</summary>
    public event Action<ListenerHandle>? Cleared;

    /// <summary>Raised when a listener's time is over, or its cause can no longer clear automatically.</summary>
    public event Action<ListenerHandle>? GivenUp;

    /// <summary>Whether any listener waits within its <c>on_conflict.wait</c>.</summary>
    public bool IsWaiting => _waits.Exists(wait => !wait.IsEndless);

    /// <inheritdoc/>
    public TimeSpan? NextDeadline
    {
        get
        {
            TimeSpan? next = null;
            foreach (var wait in _waits.Where(wait => !wait.IsEndless || wait.TryAt is not null))
            {
                var at = wait.TimeWaitEnds is { } ends && ends < wait.GivesUp ? ends : wait.GivesUp;
                at = wait.TryAt is { } again && again < at ? again : at;
                next = next is null || at < next ? at : next;
            }

            return next;
        }
    }

    /// <summary>Whether the listener's cause can clear.</summary>
    public static bool CanWait(ListenerHandle handle) =>
        handle is { Descriptor: null, Diagnosis: { } diagnosis } && MayClear(diagnosis) && handle.Spec.ConflictWait > TimeSpan.Zero;

    /// <summary>Until when the listener waits; null if it does not, or without a limit.</summary>
    public TimeSpan? GivesUp(ListenerHandle handle)
    {
        // Without a closure: the state asks for each of thousands of listeners.
        foreach (var wait in _waits)
        {
            if (wait.Handle == handle)
            {
                return wait.IsEndless ? null : wait.GivesUp;
            }
        }

        return null;
    }

    /// <summary>Whether the listener is tried again by an event, with or without a limit.</summary>
    public bool Awaits(ListenerHandle handle) => _waits.Exists(wait => wait.Handle == handle);

    /// <summary>
    /// A listener could not be made: lets it wait for as long as its specification says, or without a limit for its address.
    /// </summary>
    public void Begin(ListenerHandle handle)
    {
        if (CanWait(handle))
        {
            Add(handle);
        }
        else
        {
            AwaitAddress(handle);
        }
    }

    /// <summary>
    /// Lets the listener wait without a limit if it lacks its address or interface, which rtnetlink(7) announces; otherwise does
    /// nothing.
    /// </summary>
    public void AwaitAddress(ListenerHandle handle)
    {
        if (LacksAddress(handle) && !Awaits(handle))
        {
            _waits.Add(new Wait(handle, TimeSpan.MaxValue));
            _events.Open(handle.Spec.NetworkNamespace);
        }
    }

    /// <summary>
    /// Tries at once, because a client asks for it. True if the listener has a socket now. Other services that wait for it are
    /// started, too.
    /// </summary>
    public bool TryNow(ListenerHandle handle)
    {
        if (handle.Descriptor is null && !handle.IsAwaited && _factory.Retry(handle))
        {
            Forget(handle);
            _loop.Post(() => Cleared?.Invoke(handle));
        }

        return handle.Descriptor is not null;
    }

    /// <summary>
    /// Lets the listener wait from now on, for as long as its specification says, or until a moment that was set before.
    /// </summary>
    public void Add(ListenerHandle handle, TimeSpan? until = null)
    {
        Forget(handle);
        var wait = new Wait(handle, until ?? _loop.Now + handle.Spec.ConflictWait);
        _waits.Add(wait);
        _events.Open(handle.Spec.NetworkNamespace);
        Arm(wait);
        _log.Waiting(handle, Duration.Rounded(handle.Spec.ConflictWait));

        // An event between the refusal and now was not received.
        Try(wait);
    }

    /// <summary>Stops waiting for the listener.</summary>
    public void Forget(ListenerHandle handle)
    {
        foreach (var wait in _waits.Where(wait => wait.Handle == handle).ToArray())
        {
            Remove(wait);
        }
    }

    /// <inheritdoc/>
    public void PassDeadline()
    {
        var now = _loop.Now;
        foreach (var wait in _waits.ToArray())
        {
            if (wait.TimeWaitEnds <= now || wait.TryAt <= now || (wait.TryAt is not null && wait.GivesUp <= now))
            {
                Try(wait);
            }

            if (wait.GivesUp <= now && _waits.Contains(wait))
            {
                GiveUp(wait);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var wait in _waits.ToArray())
        {
            Remove(wait);
        }

        _loop.Remove(this);
    }

    /// <summary>An event occurred that may have cleared the cause.</summary>
    private void TrySoon(Wait wait)
    {
        if (_loop.Now < wait.NotBefore)
        {
            wait.TryAt = wait.NotBefore;

            // The pidfd of a process that has exited stays readable.
            Disarm(wait);
        }
        else
        {
            Try(wait);
        }
    }

    /// <summary>Whether the cause can clear. An unfinished diagnosis counts as yes.</summary>
    private static bool MayClear(BindDiagnosis diagnosis) => diagnosis.Retry || diagnosis.IsPartial;

    /// <summary>Whether an address or an interface is missing, whose appearance rtnetlink(7) announces.</summary>
    private static bool LacksAddress(ListenerHandle handle) => handle is { Descriptor: null, Diagnosis.Cause: { } cause }
        && cause is BindCause.AddressAbsent or BindCause.AddressTentative or BindCause.AddressDuplicate or BindCause.InterfaceDown
            or BindCause.DeviceAbsent;

    private void Try(Wait wait)
    {
        if (!_waits.Contains(wait))
        {
            return;
        }

        wait.TryAt = null;
        if (wait.IsEndless && !BindDiagnostics.CanBind(wait.Handle.Spec))
        {
            // Each try is in the history, and any change of an interface announces itself here.
            wait.NotBefore = _loop.Now + Pause;
            return;
        }

        if (_factory.Retry(wait.Handle))
        {
            Remove(wait);
            Cleared?.Invoke(wait.Handle);
        }
        else if (wait.IsEndless || wait.Handle.Diagnosis is not { } diagnosis || !MayClear(diagnosis))
        {
            GiveUp(wait);
        }
        else
        {
            Arm(wait);
        }
    }

    private void GiveUp(Wait wait)
    {
        Remove(wait);
        AwaitAddress(wait.Handle);
        if (!wait.IsEndless)
        {
            _log.GivenUp(wait.Handle, Duration.Rounded(wait.Handle.Spec.ConflictWait));
            GivenUp?.Invoke(wait.Handle);
        }
    }

    /// <summary>Chooses the events from the latest diagnosis.</summary>
    private void Arm(Wait wait)
    {
        var diagnosis = wait.Handle.Diagnosis!;
        wait.TimeWaitEnds = diagnosis.ClearsIn is { } span ? _loop.Now + span + TimerSlack : null;
        wait.NotBefore = _loop.Now + Pause;
        Disarm(wait);
        var holders = diagnosis.Owners.Select(owner => owner.Pid).OfType<int>().Where(pid => pid != Processes.CurrentPid);
        foreach (var pid in holders.Distinct().Take(MostHolders))
        {
            if (Processes.OpenPidfd(pid, out _) is { } pidfd)
            {
                wait.Pidfds.Add(pidfd);
                _loop.Watch(pidfd, () => TrySoon(wait));
            }
        }
    }

    private void Disarm(Wait wait)
    {
        foreach (var pidfd in wait.Pidfds)
        {
            _loop.Unwatch(pidfd);
            pidfd.Dispose();
        }

        wait.Pidfds.Clear();
    }

    private void Remove(Wait wait)
    {
        Disarm(wait);
        _waits.Remove(wait);
        if (_waits.Count == 0)
        {
            _events.Close();
        }
    }

    private void OnAddresses()
    {
        foreach (var wait in _waits.ToArray())
        {
            if (LacksAddress(wait.Handle))
            {
                TrySoon(wait);
            }
        }
    }

    private void OnDestroyed(IReadOnlySet<int>? ports)
    {
        foreach (var wait in _waits.ToArray())
        {
            if (wait.Handle.Failure?.Name == "EADDRINUSE" && ports?.Contains((int)wait.Handle.Spec.Address.Port) != false)
            {
                TrySoon(wait);
            }
        }
    }

    private sealed class Wait(ListenerHandle handle, TimeSpan givesUp)
    {
        public ListenerHandle Handle { get; } = handle;

        public TimeSpan GivesUp { get; } = givesUp;

        /// <summary>Whether it waits for its address without a limit.</summary>
        public bool IsEndless => GivesUp == TimeSpan.MaxValue;

        public TimeSpan? TimeWaitEnds { get; set; }

        /// <summary>When it is tried without an event: an event arrived too soon after the last try.</summary>
        public TimeSpan? TryAt { get; set; }

        /// <summary>Until when events wait.</summary>
        public TimeSpan NotBefore { get; set; }

        public List<DescriptorHandle> Pidfds { get; } = [];
    }
}
