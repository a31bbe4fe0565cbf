using BenchmarkDotNet.Attributes;
using Supervisor.Core.Protocols;

namespace Supervisor.Bench.Micro;

/// <summary>Parses one datagram of the notify protocol.</summary>
public class NotifyMessageBenchmarks
{
    [Benchmark]
    public bool ParseReady() => NotifyMessage.TryParse("READY=1"u8, out _, out _);

    [Benchmark]
    public bool ParseFour() => NotifyMessage.TryParse("READY=1\nSTATUS=serving 12 connections\nMAINPID=4711\nWATCHDOG=1\n"u8, out _, out _);
}
