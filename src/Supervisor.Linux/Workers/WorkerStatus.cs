using Supervisor.Core.Protocols;
using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>What a worker reports about itself by notify messages (sd_notify(3)). On the loop.</summary>
public sealed class WorkerStatus
{
    private const int MostReceived = 12;

    private readonly List<string> _received = [];

    /// <summary>Its last STATUS=; null if it sent none.</summary>
    public string? Message { get; internal set; }

    /// <summary>Its last ERRNO=; 0 if it sent none.</summary>
    public int Errno { get; internal set; }

    /// <summary>Whether it sent RELOADING=1, and no READY=1 since.</summary>
    public bool IsReloading { get; internal set; }

    /// <summary>Whose messages count.</summary>
    internal NotifyAccess Access { get; set; }

    /// <summary>The last message or field that was rejected, and why; null if there was none.</summary>
    public string? Rejected { get; internal set; }

    /// <summary>The fields that it sent, in the order of their first message.</summary>
    internal IReadOnlyList<string> Received => _received;

    /// <summary><see cref="Errno"/> as text; null if it is 0.</summary>
    public string? ErrnoText => Errno == 0 ? null : $"{new SystemCallError("", Errno).Name} ({new SystemCallError("", Errno).Text})";

    /// <summary>All that it reported, such as <c>reloading: reading certificates</c>; null if there is nothing.</summary>
    public string? Text
    {
        get
        {
            string?[] parts = [IsReloading ? "reloading" : null, Message, ErrnoText];
            var text = string.Join(": ", parts.Where(part => !string.IsNullOrEmpty(part)));
            return text.Length == 0 ? null : text;
        }
    }

    /// <summary>Notes which fields a message has. A READY= is noted with its value: only 1 is one.</summary>
    internal void Receive(NotifyMessage message)
    {
        foreach (var (name, value) in message.Assignments)
        {
            var field = name == "READY" ? $"READY={value}" : name;
            if (_received.Count < MostReceived && !_received.Contains(field))
            {
                _received.Add(field);
            }
        }
    }
}
