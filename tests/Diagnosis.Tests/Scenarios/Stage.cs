using System.Diagnostics;
using System.Net;

namespace Supervisor.Diagnosis.Tests.Scenarios;

/// <summary>A network namespace of the test's own, and what stands in it: sockets and processes, gone with it.</summary>
internal sealed class Stage : IDisposable
{
    private readonly List<int> _open = [];
    private readonly List<Process> _children = [];
    private string? _directory;

    /// <summary>A directory of the test's own that everybody may enter.</summary>
    public string Directory
    {
        get
        {
            if (_directory is null)
            {
                _directory = System.IO.Directory.CreateTempSubdirectory("listend-paths-").FullName;
                File.SetUnixFileMode(_directory, (UnixFileMode)Convert.ToInt32("755", 8));
            }

            return _directory;
        }
    }

    /// <summary>Runs a scenario on a thread and in a namespace of its own, and finds every descriptor closed after it.</summary>
    public static void Run(Action<Stage> scenario) => OnThread.Run(() =>
    {
        Kernel.EnterOwnNamespace();
        using var stage = new Stage();
        scenario(stage);
    });

    /// <summary>A TCP socket that listens.</summary>
    public int Listener(string host, int port, bool reuseAddress = true, bool reusePort = false, bool v6Only = false, uint uid = 0)
    {
        var descriptor = Bound(host, port, udp: false, reuseAddress, reusePort, v6Only, uid);
        Assert.Equal(0, Kernel.Listen(descriptor));
        return descriptor;
    }

    /// <summary>A socket that is bound.</summary>
    public int Bound(
        string host,
        int port,
        bool udp = false,
        bool reuseAddress = false,
        bool reusePort = false,
        bool v6Only = false,
        uint uid = 0)
    {
        var address = IPAddress.Parse(host);
        var ipv6 = address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6;
        Kernel.BeUser(uid);
        var descriptor = Own(Kernel.Socket(ipv6, udp));
        Kernel.BeUser(0);
        Kernel.SetOption(descriptor, Kernel.SolSocket, Kernel.ReuseAddress, reuseAddress ? 1 : 0);
        Kernel.SetOption(descriptor, Kernel.SolSocket, Kernel.ReusePort, reusePort ? 1 : 0);
        if (ipv6)
        {
            Kernel.SetOption(descriptor, Kernel.IpprotoIpv6, Kernel.V6Only, v6Only ? 1 : 0);
        }

        Assert.Equal(0, Kernel.Bind(descriptor, address, port));
        return descriptor;
    }

    /// <summary>A connection to a listener: the client's end and the accepted one.</summary>
    public (int Client, int Accepted) Connect(int listener)
    {
        var (address, port) = Kernel.Name(listener);
        var client = Own(Kernel.Socket(address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6, udp: false));
        Assert.Equal(0, Kernel.Connect(client, address.Equals(IPAddress.Any) ? IPAddress.Loopback : address, port));
        return (client, Own(Kernel.Accept(listener)));
    }

    /// <summary>Closes it now.</summary>
    public void Close(int descriptor)
    {
        Assert.True(_open.Remove(descriptor));
        Kernel.Close(descriptor);
    }

    /// <summary>A process that inherits the descriptor and holds it until the end of the scenario.</summary>
    public Process Heir(int descriptor, params (string Name, string Value)[] environment) => Start("exec cat", descriptor, environment);

    /// <summary>A shell command with an open standard input and output, which inherits the descriptor.</summary>
    public Process Start(string script, int descriptor = -1, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo("/bin/sh", ["-c", script])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true
        };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        if (descriptor >= 0)
        {
            Kernel.SetInheritable(descriptor, true);
        }

        var child = Process.Start(start)!;
        if (descriptor >= 0)
        {
            Kernel.SetInheritable(descriptor, false);
        }

        _children.Add(child);
        return child;
    }

    public void Dispose()
    {
        foreach (var child in _children)
        {
            child.Kill(entireProcessTree: true);
            child.WaitForExit();
            child.Dispose();
        }

        _open.ForEach(Kernel.Close);
        if (_directory is not null)
        {
            System.IO.Directory.Delete(_directory, recursive: true);
        }
    }

    private int Own(int descriptor)
    {
        _open.Add(descriptor);
        return descriptor;
    }
}
