using Supervisor.Linux.Tests.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Tests.Continuity;

public sealed class DescriptorPassingTests : KernelTest
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(DescriptorPassing.MaxDescriptors)]
    public void Exactly_the_sent_descriptors_arrive(int count)
    {
        Assert.Null(DescriptorPassing.Pair(out var one, out var other));
        using (one)
        using (other)
        {
            var sent = Enumerable.Repeat(one!, count).ToArray();
            Assert.True(DescriptorPassing.Send(one!, "x"u8, sent, wait: false, out _));
            var received = new List<DescriptorHandle>();
            Assert.Equal(1, DescriptorPassing.Receive(
                other!, new byte[8], received, Math.Max(count, 1), wait: false, out var truncated, out var lost, out var error));
            Assert.Equal((count, false, false, (SystemCallError?)null), (received.Count, truncated, lost, error));
            received.ForEach(descriptor => descriptor.Dispose());
        }
    }
}
