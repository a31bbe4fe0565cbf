using Supervisor.Native;

namespace Supervisor.Linux.Tests.Kernel;

/// <summary>Changes the process's umask for the duration of a test.</summary>
internal sealed class Umask : IDisposable
{
    private readonly int _before;

    public Umask(int mask) => _before = Files.SetUmask(mask);

    public void Dispose() => Files.SetUmask(_before);
}
