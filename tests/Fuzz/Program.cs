using SharpFuzz;

namespace Supervisor.Fuzz;

/// <summary>
/// <c>fuzz TARGET</c> runs a parser under afl-fuzz. <c>fuzz TARGET FILE...</c> runs it on each file: to replay what afl-fuzz has found.
/// </summary>
internal static class Program
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(1);

    private static int Main(string[] arguments)
    {
        if (arguments is not [var name, ..] || !Targets.All.TryGetValue(name, out var target))
        {
            Console.Error.WriteLine($"usage: Fuzz TARGET [FILE...]; targets: {string.Join(' ', Targets.All.Keys)}");
            return 2;
        }

        if (arguments.Length == 1)
        {
            Fuzzer.OutOfProcess.Run(stream => Limited(target, ReadAll(stream)));
            return 0;
        }

        foreach (var file in arguments.Skip(1))
        {
            Limited(target, File.ReadAllBytes(file));
        }

        return 0;
    }

    // Processor time: a busy machine makes no input slow.
    private static void Limited(Action<byte[]> target, byte[] data)
    {
        var before = Environment.CpuUsage.TotalTime;
        target(data);
        var used = Environment.CpuUsage.TotalTime - before;
        if (used > Longest)
        {
            throw new TimeoutException($"{data.Length} bytes took {used.TotalSeconds:0.0} s of the processor");
        }
    }

    private static byte[] ReadAll(Stream stream)
    {
        using var bytes = new MemoryStream();
        stream.CopyTo(bytes);
        return bytes.ToArray();
    }
}
