using System.Runtime;

namespace Supervisor.Linux.Performance;

/// <summary>
/// Suspends garbage collection while thousands of long-lived objects are made. Otherwise the collector would repeatedly move
/// the existing objects to free little memory. It runs once, afterwards.
/// </summary>
/// <remarks>
/// The daemon's collector has a small budget, which keeps the idle daemon small. For a start with 10,000 listeners that budget
/// is wrong: collections would cost as much time as all system calls together. A pause ends by itself if more is allocated than
/// expected. tests/Bench/ListenersBenchmark measures it.
/// </remarks>
public readonly ref struct CollectionPause : IDisposable
{
    /// <summary>With fewer objects no collection would run anyway.</summary>
    private const int MinCount = 256;

    /// <summary>The largest pause; beyond it collections run as usual.</summary>
    private const long MaxBytes = 64 << 20;

    /// <summary>The largest pause for a state: what reading one with 18,000 listeners allocates.</summary>
    private const long MaxStateBytes = 256 << 20;

    /// <summary>Whether <see cref="Begin"/> has begun a pause.</summary>
    private static bool _isBegun;

    private readonly bool _isOurs;

    private CollectionPause(bool isOurs) => _isOurs = isOurs;

    /// <summary>
    /// A pause for <paramref name="count"/> objects of about that many bytes each, including temporary objects; no pause if
    /// there are few.
    /// </summary>
    public static CollectionPause For(int count, int bytesEach) => For(count, bytesEach, MaxBytes);

    private static CollectionPause For(int count, int bytesEach, long most)
    {
        if (count < MinCount || GCSettings.LatencyMode == GCLatencyMode.NoGCRegion)
        {
            return default;
        }

        try
        {
            return new(GC.TryStartNoGCRegion(Math.Min((long)count * bytesEach, most)));
        }
        catch (ArgumentOutOfRangeException)
        {
            // The environment or the host limits the heap to less than that.
            return default;
        }
    }

    /// <summary>
    /// Begins a pause for a state of that many bytes, which is read now: almost all of its objects live on, and so do those that a
    /// successor makes of them. It ends by itself when they are more than expected, and when the daemon is idle for the first time.
    /// </summary>
    public static void BeginForState(int bytes)
    {
        const int bytesOfListener = 3 * 1024;
        const int objectsOfListener = 3 * bytesOfListener;
        _ = For(bytes / bytesOfListener, objectsOfListener, MaxStateBytes);
    }

    /// <summary>
    /// Begins such a pause, until <see cref="End"/>. To get its memory, the collector collects everything now: with thousands of
    /// listeners, that takes tens of milliseconds. On the loop.
    /// </summary>
    public static void Begin(int count, int bytesEach) => _isBegun = For(count, bytesEach)._isOurs;

    /// <summary>Ends what <see cref="Begin"/> has begun. On the loop.</summary>
    public static void End()
    {
        new CollectionPause(_isBegun).Dispose();
        _isBegun = false;
    }

    /// <summary>Ends the pause.</summary>
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
                // Another thread has run the collection in the meantime.
            }
        }
    }
}
