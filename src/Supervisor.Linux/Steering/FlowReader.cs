using System.Buffers.Binary;
using Supervisor.Native;

namespace Supervisor.Linux.Steering;

/// <summary>Reads maps that have many entries, some thousands with each call.</summary>
internal static class FlowReader
{
    private const int Most = 4096;

    /// <summary>The recorded flows. The kernel changes them in the meantime: one may be missed.</summary>
    public static IEnumerable<(TimeSpan LastSeen, int Slot, uint Epoch)> ReadAll(DescriptorHandle flows)
    {
        foreach (var (_, values, count) in Batches(flows, SteeringLayout.FlowKeySize, SteeringLayout.FlowSize))
        {
            for (var i = 0; i < count; i++)
            {
                var value = values.AsSpan(i * SteeringLayout.FlowSize, SteeringLayout.FlowSize);
                yield return (
                    TimeSpan.FromTicks(
                        BinaryPrimitives.ReadInt64LittleEndian(value[SteeringLayout.FlowLastSeen..]) / TimeSpan.NanosecondsPerTick),
                    BinaryPrimitives.ReadInt32LittleEndian(value[SteeringLayout.FlowSlot..]),
                    BinaryPrimitives.ReadUInt32LittleEndian(value[SteeringLayout.FlowEpoch..]));
            }
        }
    }

    /// <summary>Adds the flows of a map to another one.</summary>
    public static void Copy(DescriptorHandle from, DescriptorHandle into)
    {
        foreach (var (keys, values, count) in Batches(from, SteeringLayout.FlowKeySize, SteeringLayout.FlowSize))
        {
            for (var i = 0; i < count; i++)
            {
                Bpf.Update(
                    into, keys.AsSpan(i * SteeringLayout.FlowKeySize, SteeringLayout.FlowKeySize),
                    values.AsSpan(i * SteeringLayout.FlowSize, SteeringLayout.FlowSize));
            }
        }
    }

    /// <summary>The cookies that lead to a slot.</summary>
    public static IReadOnlyList<byte[]> CookiesOf(DescriptorHandle cookies, int slot)
    {
        var found = new List<byte[]>();
        foreach (var (keys, values, count) in Batches(cookies, SteeringLayout.CookieSize, SteeringLayout.CookieValueSize))
        {
            for (var i = 0; i < count; i++)
            {
                if (BinaryPrimitives.ReadInt32LittleEndian(values.AsSpan(i * SteeringLayout.CookieValueSize)) == slot)
                {
                    found.Add(keys.AsSpan(i * SteeringLayout.CookieSize, SteeringLayout.CookieSize).ToArray());
                }
            }
        }

        return found;
    }

    private static IEnumerable<(byte[] Keys, byte[] Values, int Count)> Batches(DescriptorHandle map, int keySize, int valueSize)
    {
        var keys = new byte[Most * keySize];
        var values = new byte[Most * valueSize];
        var cursor = new byte[SteeringLayout.IndexSize];
        for (var isFirst = true; ; isFirst = false)
        {
            var count = Most;
            var end = Bpf.LookupBatch(map, cursor, isFirst, keys, values, ref count);
            if (end is null or { Name: "ENOENT" })
            {
                yield return (keys, values, count);
            }

            if (end is not null)
            {
                yield break;
            }
        }
    }
}
