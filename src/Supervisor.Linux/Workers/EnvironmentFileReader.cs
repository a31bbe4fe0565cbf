using Supervisor.Core.Services;
using Supervisor.Linux.Kernel;

namespace Supervisor.Linux.Workers;

/// <summary>
/// Reads the <c>environment_files</c> of one service on threads of its own: a file can lie on a file system that hangs, and
/// the loop waits for none. Lives on the loop.
/// </summary>
internal sealed class EnvironmentFileReader(EventLoop loop)
{
    /// <summary>Reads that may be under way: one that hangs keeps its thread until the file system answers.</summary>
    public const int MostAtOnce = 4;

    private readonly List<Reading> _underWay = [];

    /// <summary>
    /// Reads the files of a specification as they are now, or joins a read of the same that is under way, and tells
    /// <paramref name="onRead"/> on the loop: the variables in their order, or setting, file and reason.
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
                $"environment_files: {MostAtOnce} earlier reads have not ended: their file system hangs; see that it answers")));
            return;
        }

        var reading = new Reading(spec, identity, [onRead]);
        _underWay.Add(reading);
        const int stackBytes = 256 * 1024;
        new Thread(() =>
        {
            var read = ReadAll(spec, identity);
            loop.Post(() =>
            {
                _underWay.Remove(reading);
                reading.OnRead.ForEach(tell => tell(read));
            });
        }, stackBytes)
        { IsBackground = true, Name = "environment" }.Start();
    }

    private static FileVariables ReadAll(ServiceSpec spec, WorkerIdentity identity)
    {
        var all = new List<KeyValuePair<string, string>>();
        foreach (var file in spec.EnvironmentFiles)
        {
            if (!EnvironmentFile.TryRead(file, identity, out var variables, out var error))
            {
                return new FileVariables([], $"environment_files \"{file}\": reading it: {error}");
            }

            all.AddRange(variables.Where(pair => !Spawner.IsOurs(pair.Key)));
        }

        return new FileVariables(all, null);
    }

    private sealed record Reading(ServiceSpec Spec, WorkerIdentity Identity, List<Action<FileVariables>> OnRead);
}

/// <summary>What the <c>environment_files</c> of a service say.</summary>
/// <param name="Variables">In their order; of two of a name the later one counts.</param>
/// <param name="Error">Why they could not be read; null where they could.</param>
internal readonly record struct FileVariables(IReadOnlyList<KeyValuePair<string, string>> Variables, string? Error)
{
    /// <summary>Of a service without such files.</summary>
    public static FileVariables None { get; } = new([], null);
}
