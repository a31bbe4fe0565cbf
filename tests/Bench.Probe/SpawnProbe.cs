using System.Buffers.Binary;
using System.Collections;
using System.Diagnostics;
using System.Net.Sockets;
using Supervisor.Native;

namespace Supervisor.Bench.Probe;

/// <summary>Measures the time from <see cref="ChildProcess.Start"/> to the child's main().</summary>
internal static class SpawnProbe
{
    /// <summary>
    /// Spawns <paramref name="program"/>, which stamps the datagram socket at <paramref name="path"/>, in each round. Creates the
    /// socket. Returns the nanoseconds of each round.
    /// </summary>
    public static IEnumerable<long> Run(int count, string program, string path)
    {
        using var stamps = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        stamps.Bind(new UnixDomainSocketEndPoint(path));
        using var nothing = Files.Open("/dev/null", 2, 0, out _)!;
        var plan = new ChildProcess.Plan
        {
            Path = program,
            Arguments = [program, path],
            Environment = [.. Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().Select(pair => $"{pair.Key}={pair.Value}")],
            PidVariables = ["LISTEN_PID"],
            Descriptors = [nothing, nothing, nothing],
            NoNewPrivileges = true,
        };
        var stamp = new byte[16];
        for (var i = 0; i < count; i++)
        {
            var begin = Stopwatch.GetTimestamp();
            using var child = ChildProcess.Start(plan, out var failure);
            if (child is null)
            {
                throw new InvalidOperationException($"{program}: {failure}");
            }

            ChildProcess.Finish();
            stamps.Receive(stamp);
            yield return BinaryPrimitives.ReadInt64LittleEndian(stamp.AsSpan(8)) - begin;
            using (child.Pidfd)
            {
                Processes.Signal(child.Pidfd, 9);
                Processes.Reap(child.Pid);
            }
        }
    }
}
