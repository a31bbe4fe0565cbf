using System.Runtime.InteropServices;

namespace Supervisor.Linux.Tests.Kernel;

/// <summary>While it exists, this thread has neither CAP_BPF nor CAP_SYS_ADMIN in its effective set, so bpf(2) fails with EPERM.</summary>
internal sealed class WithoutBpf : IDisposable
{
    // linux/capability.h: _LINUX_CAPABILITY_VERSION_3; two elements of three 32-bit sets: effective, permitted, inheritable.
    private const uint Version = 0x20080522;
    private const int EffectiveLow = 0;
    private const int EffectiveHigh = 3;
    private const uint Administration = 1u << 21;
    private const uint BpfPrograms = 1u << (39 - 32);

    private readonly uint[] _before = new uint[6];

    public WithoutBpf()
    {
        Assert.Equal(0, capget([Version, 0], _before));
        var without = (uint[])_before.Clone();
        without[EffectiveLow] &= ~Administration;
        without[EffectiveHigh] &= ~BpfPrograms;
        Assert.Equal(0, capset([Version, 0], without));
    }

    public void Dispose() => Assert.Equal(0, capset([Version, 0], _before));

    [DllImport("libc", ExactSpelling = true)]
    private static extern int capget([In] uint[] header, [Out] uint[] data);

    [DllImport("libc", ExactSpelling = true)]
    private static extern int capset([In] uint[] header, [In] uint[] data);
}
