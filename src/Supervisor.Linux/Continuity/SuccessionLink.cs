using System.Buffers;
using System.Text;
using System.Text.Json;
using Supervisor.Core.Protocols;
using Supervisor.Linux.Handoff;
using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Continuity;

/// <summary>
/// The connection on which a running daemon hands over to its successor: a connection to the broker, after the request
/// <c>succeed</c>.
/// </summary>
/// <remarks>
/// <code>
/// successor ── {"method":"succeed"} ──▶ daemon
///           ◀── {"error":{...}} ─────── the daemon continues
///           ◀── {"descriptors":[KEY...],"more":bool}, by SCM_RIGHTS: from the first packet on the daemon only waits
///           ── {"commit":true} ───────▶ the daemon exits when it has read this
/// </code>
/// The daemon stays in charge until the commit packet is in its receive buffer; from then on the successor is. Before the daemon
/// concludes that no commit came, it shuts down its side of the link, so a late commit fails with EPIPE.
/// </remarks>
public static class SuccessionLink
{
    private const string CommitPacket = """{"commit":true}""";

    /// <summary>
    /// Sends everything; null, or why the successor has not received it. <paramref name="patience"/> is how long the daemon
    /// waits for room.
    /// </summary>
    public static string? Send(DescriptorHandle link, IReadOnlyDictionary<string, DescriptorHandle> descriptors, TimeSpan patience)
    {
        KeyValuePair<string, DescriptorHandle>[] all = [.. descriptors];
        var buffer = new ArrayBufferWriter<byte>();
        for (var start = 0; start < all.Length; start += DescriptorPassing.MaxDescriptors)
        {
            var part = all.AsSpan(start, Math.Min(DescriptorPassing.MaxDescriptors, all.Length - start));
            var riding = new DescriptorHandle[part.Length];
            buffer.ResetWrittenCount();
            using (var writer = new Utf8JsonWriter(buffer))
            {
                writer.WriteStartObject();
                writer.WriteStartArray("descriptors"u8);
                for (var i = 0; i < part.Length; i++)
                {
                    writer.WriteStringValue(part[i].Key);
                    riding[i] = part[i].Value;
                }

                writer.WriteEndArray();
                writer.WriteBoolean("more"u8, start + part.Length < all.Length);
                writer.WriteEndObject();
            }

            SystemCallError? error;
            while (!DescriptorPassing.Send(link, buffer.WrittenSpan, riding, wait: false, out error))
            {
                if (error is { } refused)
                {
                    return $"cannot send it everything: {refused}";
                }

                if (!Polling.Await(link, patience, forOutput: true))
                {
                    return $"it did not receive what was sent within {patience.TotalSeconds:0.#} s";
                }
            }
        }

        return null;
    }

    /// <summary>Waits for the commit; null if it arrived, or why it did not and cannot arrive any more.</summary>
    public static string? AwaitCommit(DescriptorHandle link, TimeSpan patience)
    {
        var isSilent = !Polling.Await(link, patience);
        if (isSilent)
        {
            Sockets.ShutReading(link);
        }

        Span<byte> data = stackalloc byte[64];
        var length = DescriptorPassing.Receive(link, data, [], maxDescriptors: 0, wait: false, out _, out _, out _);
        return length > 0 && data[..length].SequenceEqual(Encoding.UTF8.GetBytes(CommitPacket)) ? null
            : isSilent ? $"no answer within {patience.TotalSeconds:0.#} s"
            : "it exited, or could not continue with what it received";
    }

    /// <summary>
    /// Asks a running daemon to hand over and receives everything. Null with the reason if the daemon refuses or does not
    /// answer; the daemon then continues.
    /// </summary>
    public static IncomingDescriptors? Receive(DescriptorHandle link, TimeSpan patience, out string? refusal)
    {
        refusal = null;
        var incoming = new IncomingDescriptors();
        var received = new List<DescriptorHandle>();
        var data = new byte[BrokerRequest.MaxBytes];
        if (!DescriptorPassing.Send(link, BrokerClient.Request("succeed"), [], wait: true, out var unsent))
        {
            refusal = $"cannot send the request to the other daemon: {unsent}";
        }

        while (refusal is null)
        {
            if (!Polling.Await(link, patience))
            {
                refusal = $"the other daemon did not answer within {patience.TotalSeconds:0.#} s";
                break;
            }

            var length = DescriptorPassing.Receive(
                link, data, received, DescriptorPassing.MaxDescriptors, wait: false, out _, out var lost, out var error);
            if (length <= 0)
            {
                refusal = length == 0 ? "the other daemon has exited, or closed the connection"
                    : error?.ToString() ?? "the other daemon does not answer";
            }
            else if (lost)
            {
                refusal = "not all descriptors have arrived: this process's limit of open files is reached; raise ulimit -n";
            }
            else if (!TryRead(data.AsMemory(0, length), received, incoming, out var more, out refusal) || !more)
            {
                break;
            }
        }

        foreach (var descriptor in received)
        {
            descriptor.Dispose();
        }

        if (refusal is null)
        {
            return incoming;
        }

        incoming.Dispose();
        return null;
    }

    /// <summary>Commits: this process is in charge afterwards. False if the daemon has exited, or no longer waits.</summary>
    public static bool Commit(DescriptorHandle link) =>
        DescriptorPassing.Send(link, Encoding.UTF8.GetBytes(CommitPacket), [], wait: true, out _);

    private static bool TryRead(
        ReadOnlyMemory<byte> packet, List<DescriptorHandle> received, IncomingDescriptors incoming, out bool more, out string? refusal)
    {
        more = false;
        refusal = null;
        try
        {
            using var document = JsonDocument.Parse(packet);
            var root = document.RootElement;
            if (root.TryGetProperty("error"u8, out var error))
            {
                refusal = error.GetProperty("message"u8).GetString() ?? "the other daemon refuses";
                return false;
            }

            var keys = root.GetProperty("descriptors"u8);
            more = root.GetProperty("more"u8).GetBoolean();
            if (keys.GetArrayLength() == received.Count)
            {
                var index = 0;
                foreach (var key in keys.EnumerateArray())
                {
                    incoming.Add(key.GetString() ?? "", received[index++]);
                }

                received.Clear();
                return true;
            }
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            // Reported below.
        }

        refusal = "the other daemon does not follow the protocol";
        return false;
    }
}
