using System.Diagnostics;
using Supervisor.Linux.Continuity;
using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Daemon.Continuity;

/// <summary>
/// Writes a state into a memory file in slices, over many turns of the loop: with thousands of listeners it takes longer than clients
/// should wait. On the loop.
/// </summary>
/// <param name="loop">The loop.</param>
/// <param name="write">Writes the state in parts.</param>
/// <param name="onWritten">Called once with the sealed memory file, which it owns; or with the reason why there is none.</param>
internal sealed class SlicedState(
    EventLoop loop, Func<Stream, IEnumerable<int>> write, Action<SlicedState.Written?, string?> onWritten)
{
    private static readonly TimeSpan Slice = TimeSpan.FromMilliseconds(2);

    private Written? _state;
    private IEnumerator<int>? _parts;

    /// <summary>Writes as much as fits into a slice, and the rest in later turns.</summary>
    public void Continue()
    {
        var begun = Stopwatch.GetTimestamp();
        try
        {
            _state ??= Written.Create();
            _parts ??= write(_state).GetEnumerator();
            while (_parts.MoveNext())
            {
                if (Stopwatch.GetElapsedTime(begun) > Slice)
                {
                    loop.Post(Continue);
                    return;
                }
            }

            _state.Seal();
        }
        catch (IOException refused)
        {
            _state?.Dispose();
            loop.Post(() => onWritten(null, refused.Message));
            return;
        }

        onWritten(_state, null);
    }

    /// <summary>A state in a memory file, with its checksum.</summary>
    internal sealed class Written : ChecksummedStream
    {
        private Written(DescriptorHandle memory)
            : base(memory)
        {
            Memory = memory;
        }

        /// <summary>The file.</summary>
        public DescriptorHandle Memory { get; }

        /// <summary>An empty memory file.</summary>
        public static Written Create() => Succession.Memory("listend-state", out var refused) is { } memory
            ? new Written(memory)
            : throw new IOException(refused.ToString());

        /// <summary>Completes it: nothing can change it any more.</summary>
        public void Seal()
        {
            if (Succession.Seal(Memory) is { } refused)
            {
                throw new IOException(refused.ToString());
            }
        }
    }
}
