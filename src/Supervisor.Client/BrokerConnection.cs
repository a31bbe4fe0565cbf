using System.Buffers;
using System.Net.Sockets;
using System.Text.Json;

namespace Supervisor.Client;

/// <summary>One request to the broker: one packet, answered by one or more packets with descriptors (SCM_RIGHTS, unix(7)).</summary>
internal static class BrokerConnection
{
    private const int MaxPacket = 64 * 1024;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    public static IReadOnlyList<(string Name, int Descriptor)> Take(string path, IReadOnlyList<string> names)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Seqpacket, ProtocolType.Unspecified)
        {
            SendTimeout = (int)Patience.TotalMilliseconds,
            ReceiveTimeout = (int)Patience.TotalMilliseconds,
        };
        var taken = new List<string>();
        var descriptors = new List<int>();
        var isWhole = false;
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(path));
            socket.Send(Request(names));
            var packet = new byte[MaxPacket];
            var more = true;
            while (more)
            {
                var length = Native.Receive((int)socket.Handle, packet, descriptors);
                using var document = JsonDocument.Parse(packet.AsMemory(0, length));
                if (document.RootElement.TryGetProperty("error"u8, out var error))
                {
                    throw new BrokerException(
                        error.GetProperty("code"u8).GetString() ?? "",
                        $"the broker at {path}: {error.GetProperty("message"u8).GetString()}");
                }

                var handles = document.RootElement.GetProperty("handles"u8).EnumerateArray();
                taken.AddRange(handles.Select(handle => handle.GetProperty("name"u8).GetString() ?? ""));
                more = document.RootElement.GetProperty("more"u8).GetBoolean();
            }

            isWhole = taken.Count == descriptors.Count;
            return isWhole
                ? [.. taken.Zip(descriptors)]
                : throw new IOException($"the broker at {path}: received {descriptors.Count} descriptors for {taken.Count} listeners");
        }
        catch (Exception exception) when (
            exception is SocketException or JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new IOException($"the broker at {path}: {exception.Message}", exception);
        }
        finally
        {
            if (!isWhole)
            {
                descriptors.ForEach(Native.Close);
            }
        }
    }

    private static byte[] Request(IReadOnlyList<string> names)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("method"u8, "take"u8);
            writer.WriteStartArray("listeners"u8);
            foreach (var name in names)
            {
                writer.WriteStringValue(name);
            }

            writer.WriteEndArray();
            if (Environment.GetEnvironmentVariable("LISTEND_TOKEN") is { Length: > 0 } token)
            {
                // Identifies a process of a worker outside of the worker's session and process tree.
                writer.WriteString("token"u8, token);
            }

            writer.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }
}
