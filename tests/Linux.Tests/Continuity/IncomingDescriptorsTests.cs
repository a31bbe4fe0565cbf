using Supervisor.Linux.Kernel;
using Supervisor.Linux.Tests.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Tests.Continuity;

public sealed class IncomingDescriptorsTests : KernelTest
{
    [Fact]
    public void A_released_descriptor_stays_open_under_its_number()
    {
        Assert.Null(DescriptorPassing.Pair(out var one, out var other));
        using (other)
        {
            var number = one!.Number;
            one.SetHandleAsInvalid();
            Forget(number);
            GC.Collect();
            GC.WaitForPendingFinalizers();
            using var taken = new DescriptorHandle(number);
            Assert.Null(Descriptors.SetCloseOnExec(taken));
        }
    }

    [Fact]
    public void A_descriptor_that_is_not_taken_is_closed()
    {
        Assert.Null(DescriptorPassing.Pair(out var one, out var other));
        using (other)
        {
            using (var incoming = new IncomingDescriptors())
            {
                incoming.Add("listener/web", one!);
                Assert.Same(one, incoming.Peek("listener/web"));
            }

            Assert.True(one!.IsClosed);
        }
    }

    private static void Forget(int number) =>
        IncomingDescriptors.FromNumbers([new("listener/web", number)]).Forget();
}
