using System.Globalization;
using Supervisor.Linux.Tests.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Tests.Workers;

/// <summary>The program of probe.c, compiled once, and its report.</summary>
public sealed class Probe : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public Probe()
    {
        Path = _directory["probe"];
        var (status, output) = Child.Run(
            "/usr/bin/env", "cc", "-O1", "-o", Path, System.IO.Path.Combine(AppContext.BaseDirectory, "Workers", "probe.c"));
        Assert.True(status == 0, $"the tests need a C compiler (gcc, libc6-dev): {output}");
        File.SetUnixFileMode(Path, (UnixFileMode)0x1ED);
    }

    public string Path { get; }

    /// <summary>
    /// Spawns it with the plan, except for path, arguments and one descriptor: <paramref name="reportOn"/> in the plan's list,
    /// to which it writes the report.
    /// </summary>
    public Report Run(
        Func<ChildProcess.Plan, ChildProcess.Plan> configure,
        IEnumerable<DescriptorHandle>? descriptors = null,
        int reportOn = 1)
    {
        using var nothing = Files.Open("/dev/null", 2, 0, out _)!;
        Assert.Null(Files.Pipe(out var reader, out var writer));
        using (reader)
        {
            Child.Started started;
            using (writer)
            {
                List<DescriptorHandle> all = [.. descriptors ?? [nothing, nothing]];
                all.Insert(reportOn, writer!);
                started = Child.Start(configure(new()
                {
                    Path = Path,
                    Arguments = ["probe", reportOn.ToString(CultureInfo.InvariantCulture)],
                    Environment = [],
                    Descriptors = all,
                }));
            }

            var report = Child.ReadToEnd(reader!);
            Assert.Equal(new Processes.Exit(false, 0, false), Child.End(started));
            return new(started.Pid, report.Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(line => line.Split('=', 2)).Where(pair => pair
                    .Length == 2).Select(pair => new KeyValuePair<string, string>(pair[0], pair[1])).ToList());
        }
    }

    public void Dispose() => _directory.Dispose();

    public sealed record Report(int Pid, IReadOnlyList<KeyValuePair<string, string>> Lines)
    {
        public string this[string name] => Lines.Single(pair => pair.Key == name).Value;

        /// <summary>All entries that begin with the word and a dot, without this prefix.</summary>
        public Dictionary<string, string> All(string word) => Lines.Where(pair => pair.Key.StartsWith(word + ".", StringComparison.Ordinal))
            .ToDictionary(pair => pair.Key[(word.Length + 1)..], pair => pair.Value, StringComparer.Ordinal);
    }
}
