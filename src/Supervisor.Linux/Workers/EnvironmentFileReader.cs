using Supervisor.Core.Services;
using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>
/// Reads the <c>environment_files</c> of one service on separate threads, because a file system can hang and the loop must not
/// wait. Lives on the loop.
/// </summary>
/// <param name="loop">The loop.</param>
/// <param name="onIgnored">Gets a sentence about ignored lines, once for each state of the files.</param>
internal sealed class EnvironmentFileReader(EventLoop loop, Action<string> onIgnored)
{
    /// <summary>The limit of concurrent reads: a read that hangs keeps its thread until the file system answers.</summary>
    public const int MostAtOnce = 4;

    private readonly List<Reading> _underWay = [];

    private string _lastIgnored = "";

    /// <summary>
    /// Reads the files of a specification as they are now, or joins a read of the same files that is under way. Calls
    /// <paramref name="onRead"/> on the loop with the variables in their order, or with setting, file and reason.
    /// </summary>
    public void Read(ServiceSpec spec, WorkerIdentity identity, Action<FileVariables> onRead)
    {
        if (_underWay.FirstOrDefault(reading => ReferenceEquals(reading.Spec, spec)
            && ReferenceEquals(reading.Identity, identity)) is { } same)
        {
            same.OnRead.Add(onRead);
            return;
        }

        if (_underWay.Count >= MostAtOnce)
        {
            loop.Post(() => onRead(new FileVariables([],
                $"environment_files: {MostAtOnce} earlier reads have not finished: "
                + "their file system does not answer; repair or unmount it")));
            return;
        }

        var reading = new Reading(spec, identity, [onRead]);
        _underWay.Add(reading);
        const int stackBytes = 256 * 1024;
        BackgroundThread.Start("environment", stackBytes, () =>
        {
            var read = ReadAll(spec, identity, out var ignored);
            loop.Post(() =>
            {
                _underWay.Remove(reading);
                ReportIgnored(ignored);
                reading.OnRead.ForEach(tell => tell(read));
            });
        });
    }

    /// <summary>Not at every start of a worker: the files rarely change.</summary>
    private void ReportIgnored(List<string> sentences)
    {
        var all = string.Join('\n', sentences);
        if (all != _lastIgnored)
        {
            _lastIgnored = all;
            sentences.ForEach(onIgnored);
        }
    }

    private static FileVariables ReadAll(ServiceSpec spec, WorkerIdentity identity, out List<string> ignored)
    {
        ignored = [];
        var all = new List<KeyValuePair<string, string>>();
        foreach (var file in spec.EnvironmentFiles)
        {
            var lines = new List<IgnoredLine>();
            if (!EnvironmentFile.TryRead(file, identity, out var variables, out var error, lines))
            {
                return new FileVariables([], $"environment_files \"{file}\": reading it: {error}");
            }

            ignored.AddRange(IgnoredLine.Describe(file, lines).Select(text => $"{text.Message}; {text.Remedy}"));
            all.AddRange(variables);
        }

        return new FileVariables(all, null);
    }

    private sealed record Reading(ServiceSpec Spec, WorkerIdentity Identity, List<Action<FileVariables>> OnRead);
}

/// <summary>The content of a service's <c>environment_files</c>.</summary>
/// <param name="Variables">In their order; the last one of a name counts.</param>
/// <param name="Error">Why they could not be read; null where they could.</param>
internal readonly record struct FileVariables(IReadOnlyList<KeyValuePair<string, string>> Variables, string? Error)
{
    /// <summary>For a service without such files.</summary>
    public static FileVariables None { get; } = new([], null);
}
