namespace Supervisor.Core;

/// <summary>
/// The newest items of a stream, numbered from 1 and limited by number and weight; the oldest items are dropped. A reader
/// remembers the number of the last item that it read, and continues from there. A reader that stops costs nothing and delays
/// nothing: later it learns how many items it has missed. Any thread may read while one writes.
/// </summary>
public sealed class RecentItems<T>
{
    private readonly Lock _lock = new();
    private readonly int _maxCount;
    private readonly long _maxWeight;
    private readonly Func<T, long> _weigh;
    private T[] _items = new T[16];
    private int _first;
    private int _kept;
    private long _weight;
    private long _newest;
    private TaskCompletionSource? _more;

    /// <summary>
    /// An empty stream that keeps at most <paramref name="maxCount"/> items, with a total of at most
    /// <paramref name="maxWeight"/> in the unit of <paramref name="weigh"/>. The newest item is always kept.
    /// </summary>
    public RecentItems(int maxCount, long maxWeight, Func<T, long> weigh)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxCount, 1);
        _maxCount = maxCount;
        _maxWeight = maxWeight;
        _weigh = weigh;
    }

    /// <summary>An empty stream that keeps at most <paramref name="maxCount"/> items.</summary>
    public RecentItems(int maxCount)
        : this(maxCount, 0, static _ => 0)
    {
    }

    /// <summary>The newest item's number, which is the number of all items so far.</summary>
    public long Newest
    {
        get
        {
            lock (_lock)
            {
                return _newest;
            }
        }
    }

    /// <summary>Adds the item that <paramref name="make"/> makes for its number.</summary>
    public void Add(Func<long, T> make)
    {
        TaskCompletionSource? waiting;
        lock (_lock)
        {
            var item = make(_newest + 1);
            _newest++;
            if (_kept == _items.Length)
            {
                Grow();
            }

            _items[(_first + _kept) % _items.Length] = item;
            _kept++;
            _weight += _weigh(item);
            while (_kept > _maxCount || (_weight > _maxWeight && _kept > 1))
            {
                _weight -= _weigh(_items[_first]);
                _items[_first] = default!;
                _first = (_first + 1) % _items.Length;
                _kept--;
            }

            (waiting, _more) = (_more, null);
        }

        waiting?.SetResult();
    }

    /// <summary>Continues a predecessor's stream with the items that it kept. Only for an empty stream.</summary>
    public void Restore(long newest, IReadOnlyList<T> kept)
    {
        lock (_lock)
        {
            _newest = newest - kept.Count;
        }

        foreach (var item in kept)
        {
            Add(_ => item);
        }
    }

    /// <summary>
    /// The items after number <paramref name="seq"/>, oldest first, at most <paramref name="most"/>; how many items in between
    /// are no longer kept; and the number to continue from. A number that was not assigned yet belongs to another run, so the
    /// result starts with the oldest item.
    /// </summary>
    public (IReadOnlyList<T> Items, long Missed, long Next) After(long seq, int most)
    {
        lock (_lock)
        {
            var oldest = _newest - _kept + 1;
            var isForeign = seq > _newest;
            var from = isForeign ? oldest : Math.Max(seq + 1, oldest);
            var count = (int)Math.Min(most, _newest - from + 1);
            var items = new T[count];
            for (var i = 0; i < count; i++)
            {
                items[i] = _items[(_first + (int)(from - oldest) + i) % _items.Length];
            }

            return (items, isForeign ? 0 : from - seq - 1, from + count - 1);
        }
    }

    /// <summary>Completes when there is an item after number <paramref name="seq"/>.</summary>
    public Task Beyond(long seq)
    {
        lock (_lock)
        {
            if (seq < _newest)
            {
                return Task.CompletedTask;
            }

            _more ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _more.Task;
        }
    }

    private void Grow()
    {
        var larger = new T[_items.Length * 2];
        for (var i = 0; i < _kept; i++)
        {
            larger[i] = _items[(_first + i) % _items.Length];
        }

        _items = larger;
        _first = 0;
    }
}
