using Supervisor.Core;
using Supervisor.Daemon.Continuity;
using Supervisor.Daemon.Tests.Fakes;
using Supervisor.Native;

namespace Supervisor.Daemon.Tests.Continuity;

/// <summary>A state that is written in slices: the loop does other work in between.</summary>
public sealed class SlicedStateTests : IDisposable
{
    private readonly LoopThread _thread = new();

    [Fact]
    public async Task Other_work_runs_between_the_slices()
    {
        var (parts, others) = (0, 0);
        var ended = new TaskCompletionSource<(byte[]? Content, uint Checksum, int Others)>();
        IEnumerable<int> Write(Stream stream)
        {
            for (; parts < 3; parts++)
            {
                stream.Write([(byte)parts]);
                Thread.Sleep(5);
                _thread.Loop.Post(() => others++);
                yield return parts;
            }
        }

        await _thread.Do(() => new SlicedState(_thread.Loop, Write, (state, refused) =>
        {
            using (state)
            {
                ended.SetResult((Succession.ReadSealed(state!.Memory, out _), state.Checksum, others));
            }
        }).Continue());
        var (content, checksum, meanwhile) = await ended.Task.WaitAsync(Patience.Deadline);
        Assert.Equal([0, 1, 2], content!);
        Assert.Equal(Checksum.Of(content), checksum);
        Assert.Equal(3, meanwhile);
    }

    [Fact]
    public async Task A_state_that_cannot_be_written_is_told()
    {
        var ended = new TaskCompletionSource<string?>();
        IEnumerable<int> Write(Stream stream)
        {
            yield return 1;
            throw new IOException("no space left");
        }

        var state = new SlicedState(_thread.Loop, Write, (written, error) => ended.SetResult(written is null ? error : null));
        await _thread.Do(state.Continue);
        Assert.Equal("no space left", await ended.Task.WaitAsync(Patience.Deadline));
    }

    public void Dispose() => _thread.Dispose();
}
