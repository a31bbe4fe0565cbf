using Supervisor.Native;

namespace Supervisor.Linux.Tests.Kernel;

/// <summary>Another umask for the length of a test; it is the process's.</summary>
internal sealed class Umask : IDisposable
{
    private readonly int _before;

    public Umask(int mask) => _before = Files.SetUmask(mask);

    public void Dispose() => Files.SetUmask(_before);
}
