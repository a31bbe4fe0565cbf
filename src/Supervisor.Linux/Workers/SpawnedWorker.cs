namespace Supervisor.Linux.Workers;

/// <summary>A worker that has been spawned and may not have executed its program yet.</summary>
public sealed class SpawnedWorker
{
    private readonly End _finish;

    internal SpawnedWorker(End finish) => _finish = finish;

    internal delegate WorkerProcess? End(out string? failure);

    /// <summary>Waits until it has, once. The process is the caller's to watch and dispose; null with the <paramref name="failure"/> where it could not, and then nothing is left of it.</summary>
    public WorkerProcess? Finish(out string? failure) => _finish(out failure);
}
