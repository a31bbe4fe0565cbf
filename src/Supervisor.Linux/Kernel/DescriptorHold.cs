using Supervisor.Native;

namespace Supervisor.Linux.Kernel;

/// <summary>
/// Holds descriptors to find out whether so many are free. Their numbers do not tell: there are gaps, and used ones above.
/// <paramref name="any"/> is an open descriptor.
/// </summary>
internal sealed class DescriptorHold(DescriptorHandle any) : IDisposable
{
    private readonly List<DescriptorHandle> _held = [];

    /// <summary>Holds so many more; false if they are not free, apart from the daemon's reserve.</summary>
    public bool Add(int count)
    {
        for (; count > 0; count--)
        {
            if (Descriptors.Duplicate(any, out _) is not { } descriptor)
            {
                return false;
            }

            _held.Add(descriptor);
            if (DescriptorReserve.IsReached(descriptor))
            {
                return false;
            }
        }

        return true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var descriptor in _held)
        {
            descriptor.Dispose();
        }

        _held.Clear();
    }
}
