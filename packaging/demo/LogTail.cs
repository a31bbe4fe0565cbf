namespace Supervisor.Demo;

/// <summary>The last lines of a stream.</summary>
internal sealed class LogTail(int most)
{
    private readonly Lock _lock = new();
    private readonly Queue<string> _lines = new();

    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_lock)
            {
                return [.. _lines];
            }
        }
    }

    public void Add(string line)
    {
        lock (_lock)
        {
            if (_lines.Count == most)
            {
                _lines.Dequeue();
            }

            _lines.Enqueue(line);
        }
    }
}
