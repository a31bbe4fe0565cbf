using System.Runtime;

namespace Supervisor.Linux.Kernel;

/// <summary>
/// No garbage is collected while thousands of things are made that stay: the collector would move those that are there
/// already out of the way of the next ones, time and again, for little garbage. It comes once, afterwards.
/// </summary>
/// <remarks>
/// The daemon's collector is set to a small budget, which keeps the daemon small at rest; that is the wrong one for a start
/// with 10,000 listeners, where it costs as much time as all system calls together. A pause ends by itself where more is
/// allocated than was foreseen. Measured by tests/Bench/ListenersBenchmark.
/// </remarks>
public readonly ref struct CollectionPause : IDisposable
{
    /// <summary>Fewer are done before a collection would come.</summary>
    private const int Many = 256;

    /// <summary>Beyond this there are as many collections as it takes.</summary>
    private const long MostBytes = 64 << 20;

    private readonly bool _isOurs;

    private CollectionPause(bool isOurs) => _isOurs = isOurs;

    /// <summary>A pause for so many things of about so many bytes each, what is thrown away on the way included; none where they are few.</summary>
    public static CollectionPause For(int count, int bytesEach)
    {
        if (count < Many || GCSettings.LatencyMode == GCLatencyMode.NoGCRegion)
        {
            return default;
        }

        try
        {
            return new(GC.TryStartNoGCRegion(Math.Min((long)count * bytesEach, MostBytes)));
        }
        catch (ArgumentOutOfRangeException)
        {
            // A heap that was limited to less than that, by the environment or the host.
            return default;
        }
    }

    /// <summary>Ends it.</summary>
    public void Dispose()
    {
        if (_isOurs && GCSettings.LatencyMode == GCLatencyMode.NoGCRegion)
        {
            try
            {
                GC.EndNoGCRegion();
            }
            catch (InvalidOperationException)
            {
                // Another thread has had the collection since.
            }
        }
    }
}
