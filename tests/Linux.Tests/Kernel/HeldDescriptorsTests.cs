using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Tests.Kernel;

/// <summary>What a holder has after owners have brought their descriptors.</summary>
public class HeldDescriptorsTests
{
    private static readonly DescriptorHandle Any = new(-1);

    [Fact]
    public void What_nobody_brings_again_is_dropped_and_the_rest_is_not_sent_twice()
    {
        var holder = new Holder();
        var held = new HeldDescriptors();
        held.Use(holder, []);
        held.Bring("worker 1", [new("output 1", Any)]);
        held.Bring("worker 2", [new("output 2", Any)]);

        held.Disown();
        held.Bring("worker 2", [new("output 2", Any)]);
        Assert.Equal(["output 1", "output 2"], holder.Keys.Order());
        held.DropOthers();

        Assert.Equal(["output 2"], holder.Keys);
        Assert.Equal(2, holder.Puts);
    }

    [Fact]
    public void What_came_from_the_holder_is_not_sent_again_and_what_may_differ_is()
    {
        var holder = new Holder();
        var held = new HeldDescriptors();
        held.Use(holder, [new("same", Any), new("unknown", null), new("other", new DescriptorHandle(-1))]);
        held.Bring("web", [new("same", Any), new("unknown", Any), new("other", Any)]);
        Assert.Equal(["unknown", "other"], holder.Keys);
    }

    [Fact]
    public void Only_what_the_holder_has_unchanged_is_named_to_a_successor()
    {
        var (same, former, now) = (new DescriptorHandle(-1), new DescriptorHandle(-1), new DescriptorHandle(-1));
        var held = new HeldDescriptors();
        held.Use(new Holder(), []);
        held.Bring("web", [new("same", same), new("changed", former), new("refused", same)]);
        held.Refused("refused");
        var present = new Dictionary<string, DescriptorHandle> { ["same"] = same, ["changed"] = now, ["refused"] = same, ["new"] = now };
        Assert.Equal(["same"], held.HeldOf(present));
        Assert.Equal(["refused"], held.Missing);
    }

    private sealed class Holder : IDescriptorHolder
    {
        public List<string> Keys { get; } = [];

        public int Puts { get; private set; }

        public int Put(IReadOnlyList<KeyValuePair<string, DescriptorHandle>> descriptors)
        {
            Keys.AddRange(descriptors.Select(one => one.Key));
            Puts += descriptors.Count;
            return descriptors.Count;
        }

        public void Drop(IReadOnlyList<string> keys) => Keys.RemoveAll(keys.Contains);
    }
}
