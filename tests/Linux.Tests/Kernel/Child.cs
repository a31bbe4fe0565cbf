using System.Collections;
using System.Text;
using Supervisor.Native;

namespace Supervisor.Linux.Tests.Kernel;

/// <summary>A spawned program and the read end of a pipe whose write end is one of the program's descriptors.</summary>
internal static class Child
{
    /// <summary>This process's environment.</summary>
    public static IReadOnlyList<string> Environment { get; } =
        [.. System.Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().Select(entry => $"{entry.Key}={entry.Value}")];

    /// <summary>Runs a program until it exits; returns its exit status and output.</summary>
    public static (int Status, string Output) Run(string path, params string[] arguments)
    {
        using var nothing = Files.Open("/dev/null", 2, 0, out _)!;
        Assert.Null(Files.Pipe(out var reader, out var writer));
        using (reader)
        {
            Started started;
            using (writer)
            {
                started = Start(new ChildProcess.Plan
                {
                    Path = path,
                    Arguments = [path, .. arguments],
                    Environment = Environment,
                    Descriptors = [nothing, writer!, writer!]
                });
            }

            var output = ReadToEnd(reader!);
            return (End(started).Status, output);
        }
    }

    /// <summary>A child that runs its program, with its process id and its pidfd, which the caller owns.</summary>
    public readonly record struct Started(int Pid, DescriptorHandle Pidfd);

    /// <summary>Spawns a child and waits until it has executed the program or a step has failed; then it leaks nothing.</summary>
    public static Started? Spawn(ChildProcess.Plan plan, out ChildProcess.Failure failure)
    {
        using var launched = ChildProcess.Start(plan, out failure);
        ChildProcess.Finish();
        if (launched is null)
        {
            return null;
        }

        ChildProcess.Failure? step;
        while (!launched.TryGetOutcome(out step))
        {
            Libc.WaitFor(launched.Status!);
        }

        var started = new Started(launched.Pid, launched.Pidfd);
        if (step is not { } failed)
        {
            return started;
        }

        failure = failed;
        Assert.Equal(new Processes.Exit(false, 127, false), End(started));
        return null;
    }

    /// <summary>Spawns a child, which must succeed.</summary>
    public static Started Start(ChildProcess.Plan plan)
    {
        var started = Spawn(plan, out var failure);
        Assert.True(started is not null, $"{failure.Stage}: {ErrnoNames.Name(failure.Errno)} ({failure.Detail})");
        return started.Value;
    }

    /// <summary>Waits for the exit, reaps the child and closes the pidfd.</summary>
    public static Processes.Exit End(Started child)
    {
        using (child.Pidfd)
        {
            Libc.WaitFor(child.Pidfd);
            return Processes.Reap(child.Pidfd)!.Value;
        }
    }

    /// <summary>Reads everything until the other end is closed.</summary>
    public static string ReadToEnd(DescriptorHandle reader)
    {
        var all = new MemoryStream();
        Span<byte> data = stackalloc byte[4096];
        while (true)
        {
            Libc.WaitFor(reader);
            var count = Files.Read(reader, data, out var error);
            Assert.Null(error);
            if (count == 0)
            {
                return Encoding.UTF8.GetString(all.ToArray());
            }

            all.Write(data[..Math.Max(count, 0)]);
        }
    }
}
