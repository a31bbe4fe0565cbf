using Supervisor.Linux.Handoff;
using Supervisor.Linux.Tests.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Tests.Handoff;

/// <summary>Stored descriptors have an owner, are distinguished by open file, and are limited in number.</summary>
public class DescriptorStoreTests : KernelTest
{
    [Fact]
    public void A_slot_keeps_its_stored_descriptors_in_order()
    {
        using var store = new DescriptorStore(Close);
        Assert.Null(store.Store(0, "a", Null()));
        Assert.Null(store.Store(0, "b", Null()));
        Assert.Null(store.Store(1, "c", Null()));
        Assert.Equal(["a", "b"], store.Of(0).Select(one => one.Name));
        Assert.Equal(["c"], store.Of(1).Select(one => one.Name));
        Assert.Empty(store.Of(2));
    }

    [Fact]
    public void A_descriptor_that_is_already_stored_is_closed()
    {
        using var store = new DescriptorStore(Close);
        using var original = Null();
        var first = Descriptors.Duplicate(original, out _)!;
        var second = Descriptors.Duplicate(original, out _)!;
        Assert.Null(store.Store(0, "a", first));
        Assert.Null(store.Store(0, "b", second));
        Assert.Equal("a", Assert.Single(store.Of(0)).Name);
        Assert.True(second.IsClosed);
        Assert.False(first.IsClosed);
    }

    [Fact]
    public void Stored_descriptors_are_removed_by_name_and_by_slot()
    {
        using var store = new DescriptorStore(Close);
        var (a, b, c) = (Null(), Null(), Null());
        store.Store(0, "a", a);
        store.Store(0, "b", b);
        store.Store(3, "a", c);
        store.Remove(0, "a");
        store.Remove(7, "a");
        Assert.True(a.IsClosed);
        store.RemoveFrom(1);
        Assert.Equal((false, true, 1), (b.IsClosed, c.IsClosed, store.Count));
    }

    [Fact]
    public void A_rejected_descriptor_stays_with_the_caller()
    {
        using var store = new DescriptorStore(Close);
        using var descriptor = Null();
        Assert.Contains("a:b", store.Store(0, "a:b", descriptor), StringComparison.Ordinal);
        for (var i = 0; i < DescriptorStore.Capacity; i++)
        {
            Assert.Null(store.Store(i % 2, "a", Null()));
        }

        Assert.Contains("512", store.Store(5, "a", descriptor), StringComparison.Ordinal);
        Assert.False(descriptor.IsClosed);
    }

    private static void Close(IReadOnlyList<DescriptorHandle> descriptors)
    {
        foreach (var descriptor in descriptors)
        {
            descriptor.Dispose();
        }
    }

    private static DescriptorHandle Null() => Files.Open("/dev/null", 2, 0, out _)!;
}
