using System.Globalization;
using Supervisor.Core.State;
using Supervisor.Daemon.Continuity;
using Supervisor.Daemon.Tests.Fakes;
using Supervisor.Native;

namespace Supervisor.Daemon.Tests.Continuity;

/// <summary>The state that an executed program finds, and what it does not accept as one.</summary>
public sealed class ReExecutedStateTests : IDisposable
{
    private readonly TemporaryRuntime _runtime = new();

    [Fact]
    public void A_sealed_state_of_this_process_is_read()
    {
        var number = Sealed(ManifestFormat.Write(_runtime.Manifest));
        Assert.NotNull(ReExecutedState.Read(number, 1, out var manifest, out _, out var error));
        Assert.Null(error);
        Assert.Equal("0.0.1", manifest!.Version);
    }

    [Fact]
    public void A_state_of_another_process_is_rejected()
    {
        Assert.Null(ReExecutedState.Read(Sealed(ManifestFormat.Write(_runtime.Manifest)), 2, out _, out _, out var error));
        Assert.Contains("process 1", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("x")]
    [InlineData("-1")]
    [InlineData("100000")]
    public void A_file_that_is_not_a_sealed_memory_file_is_rejected(string variable)
    {
        Assert.Null(ReExecutedState.Read(variable, 1, out _, out _, out var error));
        Assert.NotNull(error);
    }

    [Fact]
    public void A_truncated_state_is_rejected()
    {
        Assert.Null(ReExecutedState.Read(Sealed(ManifestFormat.Write(_runtime.Manifest)[..20]), 1, out _, out _, out var error));
        Assert.NotNull(error);
    }

    /// <summary>The state that is passed on may be shorter or longer than the one that was checked.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(5_000)]
    [InlineData(50_000)]
    public void A_state_in_a_file_that_was_made_before_is_only_the_state(int length)
    {
        var state = new byte[length];
        Array.Fill(state, (byte)'x');
        using var former = Succession.SealedMemory("state", stream => stream.Write(new byte[20_000]), out _);
        var copy = Succession.MemoryWithCopy("state", former!, 20_000);
        Assert.NotNull(copy);
        Assert.Equal(new byte[20_000], Files.ReadAll(copy, out _));
        using var memory = Succession.SealedMemory("state", stream => stream.Write(state), out var error, copy);
        Assert.Null(error);
        Assert.Same(copy, memory);
        Assert.Equal(state, Succession.ReadSealed(memory!, out _));
    }

    /// <summary>The check may end before another thread has copied its state, whose number another file gets then.</summary>
    [Fact]
    public void A_closed_file_is_not_copied_from_the_file_that_has_its_number_now()
    {
        var former = Sealed(1);
        former.Dispose();
        using var next = Sealed(2);
        Assert.Null(Succession.MemoryWithCopy("state", former, 20_000));

        static DescriptorHandle Sealed(byte content)
        {
            var state = new byte[20_000];
            Array.Fill(state, content);
            return Succession.SealedMemory("state", stream => stream.Write(state), out _)!;
        }
    }

    public void Dispose() => _runtime.Dispose();

    /// <summary>The number of a descriptor that the reader owns.</summary>
    private static string Sealed(byte[] state)
    {
        var memory = Succession.SealedMemory("state", stream => stream.Write(state), out _)!;
        var number = memory.Number;
        memory.SetHandleAsInvalid();
        return number.ToString(CultureInfo.InvariantCulture);
    }
}
