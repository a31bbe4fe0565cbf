using System.Buffers;
using System.Text.Json;
using Supervisor.Core.Listeners;
using Supervisor.Core.Protocols;
using Supervisor.Linux.Kernel;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Handoff;

/// <summary>A client of the broker; all calls block. Owns its connection.</summary>
public sealed class BrokerClient : IDisposable
{
    private readonly DescriptorHandle _socket;

    private BrokerClient(DescriptorHandle socket) => _socket = socket;

    /// <summary>The connection, for the protocol after <c>succeed</c>; the client keeps it.</summary>
    public DescriptorHandle Socket => _socket;

    /// <summary>Connects to the broker; null with the failed call. No later wait is longer than <paramref name="timeout"/>.</summary>
    public static BrokerClient? Connect(string path, TimeSpan timeout, out SystemCallError error)
    {
        const int nameTooLong = 36;
        if (Sockaddr.Encode(ListenAddress.Unix(ListenerKind.UnixSeqpacket, path, isAbstract: false)) is not { } raw)
        {
            error = new SystemCallError("connect", nameTooLong);
            return null;
        }

        var socket = Sockets.Create(AF_UNIX, SOCK_SEQPACKET, 0, nonBlocking: false, out error);
        if (socket is null)
        {
            return null;
        }

        // struct timeval: seconds, microseconds.
        Span<long> time = [(long)timeout.TotalSeconds, timeout.Microseconds + (timeout.Milliseconds * 1000)];
        var bytes = System.Runtime.InteropServices.MemoryMarshal.AsBytes(time);
        var refused = Sockets.SetBytes(socket, SOL_SOCKET, SO_RCVTIMEO, bytes)
            ?? Sockets.SetBytes(socket, SOL_SOCKET, SO_SNDTIMEO, bytes)
            ?? Sockets.Connect(socket, raw);
        if (refused is { } why)
        {
            socket.Dispose();
            error = why;
            return null;
        }

        return new BrokerClient(socket);
    }

    /// <summary>
    /// A request for those listeners' descriptors, with the <paramref name="token"/> of the worker to which this process
    /// belongs.
    /// </summary>
    public static byte[] TakeRequest(IEnumerable<string> listeners, string? token = null) => Request("take", writer =>
    {
        if (!string.IsNullOrEmpty(token))
        {
            writer.WriteString("token"u8, token);
        }

        writer.WriteStartArray("listeners"u8);
        foreach (var name in listeners)
        {
            writer.WriteStringValue(name);
        }

        writer.WriteEndArray();
    });

    /// <summary>A put, drop or list request; <paramref name="method"/> is the protocol's name.</summary>
    public static byte[] Request(string method, string? name = null) => Request(method, writer =>
    {
        if (name is not null)
        {
            writer.WriteString("name"u8, name);
        }
    });

    /// <summary>
    /// Sends a request and reads the whole reply, which the caller disposes. Throws <see cref="IOException"/> if the broker
    /// does not respond, or if the reply is incomplete; no descriptor stays open then.
    /// </summary>
    /// <param name="request">The packet.</param>
    /// <param name="rider">A descriptor to send with the request; the caller keeps it.</param>
    public BrokerAnswer Ask(ReadOnlySpan<byte> request, DescriptorHandle? rider = null)
    {
        if (!DescriptorPassing.Send(_socket, request, rider is null ? [] : [rider], wait: true, out var error)
            && error is not { Errno: EPIPE or ECONNRESET })
        {
            throw new IOException(error?.ToString() ?? "the broker does not accept the request");
        }

        var data = new byte[BrokerRequest.MaxBytes];
        var descriptors = new List<DescriptorHandle>();
        var names = new List<string>();
        var packets = new List<byte[]>();
        var isWhole = false;
        try
        {
            while (true)
            {
                var length = Receive(data, descriptors);
                packets.Add(data[..length]);
                using var document = Parse(data.AsMemory(0, length));
                var root = document.RootElement;
                if (root.TryGetProperty("error"u8, out var refusal))
                {
                    isWhole = descriptors.Count == 0;
                    return new BrokerAnswer([], [], Text(refusal, "message") ?? "refused", Text(refusal, "code"), packets);
                }

                if (root.TryGetProperty("handles"u8, out var handles) && handles.ValueKind == JsonValueKind.Array)
                {
                    names.AddRange(handles.EnumerateArray().Select(handle => Text(handle, "name") ?? ""));
                }

                if (root.TryGetProperty("more"u8, out var more) && more.ValueKind == JsonValueKind.True)
                {
                    continue;
                }

                isWhole = descriptors.Count == 0 || descriptors.Count == names.Count;
                return isWhole
                    ? new BrokerAnswer(names, descriptors, null, null, packets)
                    : throw new IOException($"{descriptors.Count} descriptors came for {names.Count} handles");
            }
        }
        finally
        {
            if (!isWhole)
            {
                descriptors.ForEach(descriptor => descriptor.Dispose());
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();

    private int Receive(byte[] data, List<DescriptorHandle> descriptors)
    {
        var length = Receive(data, descriptors, out var truncated, out var lost, out var error);
        if (length < 0 && error is { Errno: ECONNRESET })
        {
            // The broker rejected the connection without reading the request; its reason follows.
            length = Receive(data, descriptors, out truncated, out lost, out error);
        }

        return length < 0 ? throw new IOException(error?.ToString() ?? "the broker does not respond")
            : length == 0 ? throw new IOException("the broker has closed the connection")
            : truncated ? throw new IOException($"the broker's reply is longer than {BrokerRequest.MaxBytes} bytes")
            : lost ? throw new IOException("descriptors were lost: this process's limit of open files is reached; raise ulimit -n")
            : length;
    }

    private int Receive(byte[] data, List<DescriptorHandle> descriptors, out bool truncated, out bool lost, out SystemCallError? error) =>
        DescriptorPassing.Receive(
            _socket, data, descriptors, BrokerRequest.MaxDescriptors, wait: true, out truncated, out lost, out error);

    private static byte[] Request(string method, Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("method"u8, method);
            write(writer);
            writer.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    private static JsonDocument Parse(ReadOnlyMemory<byte> data)
    {
        try
        {
            var document = JsonDocument.Parse(data);
            if (document.RootElement.ValueKind == JsonValueKind.Object)
            {
                return document;
            }

            document.Dispose();
        }
        catch (JsonException)
        {
            // Reported below.
        }

        throw new IOException("the reply does not follow the broker's protocol: is this the socket of another program?");
    }

    private static string? Text(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object
        && element.TryGetProperty(name, out var value)
        && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
