using System.Globalization;
using Supervisor.Core;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Protocols;
using Supervisor.Core.Workers;
using Supervisor.Linux.Handoff;
using Supervisor.Linux.Listeners;
using Supervisor.Linux.Tests.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Tests.Handoff;

/// <summary>A broker with its own loop and thread. It owns what it lends.</summary>
internal sealed class BrokerUnderTest : IBrokerTable, IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly LoopUnderTest _loop = new();
    private readonly List<ListenerHandle> _handles = [];
    private readonly ListenerFactory _factory = Given.Factory();

    public BrokerUnderTest(params ListenerHandle[] handles)
    {
        _handles.AddRange(handles);
        Broker = On(() => Broker.TryStart(_loop.Loop, Path, this, _loop.Disposer, Serilog.Core.Logger.None, out var error)
            ?? throw new InvalidOperationException(error));
    }

    public string Path => _directory["broker.sock"];

    public Broker Broker { get; }

    /// <summary>The worker to which a process belongs.</summary>
    public Func<int, BrokerService?> Services { get; init; } = static _ => null;

    /// <summary>The users that run workers.</summary>
    public Func<uint, bool> WorkerUsers { get; init; } = static _ => false;

    public IReadOnlyList<ListenerHandle> Handles => _handles;

    public ListenerHandle? Find(ReadOnlySpan<char> name)
    {
        var wanted = name.ToString();
        return _handles.Find(handle => handle.Name == wanted);
    }

    public BrokerService? ServiceOf(ProcessLineage process, string? token) => Services(process.Pid);

    public bool IsWorkerUser(uint uid) => WorkerUsers(uid);

    public BrokerError? Put(string name, DescriptorHandle descriptor, Requester by, string note)
    {
        if (_handles.Exists(handle => handle.Name == name))
        {
            return new BrokerError(BrokerErrorCode.Denied, "there is one");
        }

        var giver = new HistoryActor(by.Pid ?? 0, by.Command ?? "?");
        _handles.Add(_factory.Given.Hold(name, descriptor, HandleOrigin.Given, giver, note));
        return null;
    }

    public BrokerError? Drop(string name, Requester by)
    {
        if (_handles.Find(handle => handle.Name == name) is not { } handle)
        {
            return new BrokerError(BrokerErrorCode.NotFound, "there is none");
        }

        _handles.Remove(handle);
        _factory.Close(handle, removePath: false);
        return null;
    }

    public BrokerError? Succeed(BrokerPeer peer, Func<DescriptorHandle> release) => new(BrokerErrorCode.Denied, "nobody succeeds it");

    public void Denied(string what, string missing, string? listener, Requester by)
    {
    }

    /// <summary>Runs a function on the loop.</summary>
    public T On<T>(Func<T> question) => _loop.On(question);

    /// <summary>A client that waits for its replies.</summary>
    public BrokerClient Client() =>
        BrokerClient.Connect(Path, KernelTest.Patience, out var error) ?? throw new SystemCallException(error, "connecting to the broker");

    /// <summary>A raw connection.</summary>
    public DescriptorHandle Connect() => Loopback.Connect(ListenAddress.Unix(ListenerKind.UnixSeqpacket, Path, isAbstract: false));

    /// <summary>A listener with that name and its own address.</summary>
    public static ListenerHandle Listener(string name, Func<ListenerSpec, ListenerSpec>? configure = null) =>
        Given.Listener("tcp://127.0.0.1:0", spec => (configure is null ? spec : configure(spec)) with { Name = name });

    /// <summary>This many bound sockets, which use no ports.</summary>
    public static ListenerHandle[] Many(int count) => [.. Enumerable.Range(0, count).Select(i =>
        Given.Listener(
            $"unix-dgram://@linux-tests-broker-{Environment.ProcessId}-{i}",
            spec => spec with { Name = string.Create(CultureInfo.InvariantCulture, $"n{i}") }))];

    public void Dispose()
    {
        _loop.Dispose(() =>
        {
            Broker.Dispose();
            _handles.ForEach(handle => handle.Dispose());
        });
        _directory.Dispose();
    }
}
