using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>What a worker reports about itself by notify messages (sd_notify(3)). On the loop.</summary>
public sealed class WorkerStatus
{
    /// <summary>Its last STATUS=; null if it sent none.</summary>
    public string? Message { get; internal set; }

    /// <summary>Its last ERRNO=; 0 if it sent none.</summary>
    public int Errno { get; internal set; }

    /// <summary>Whether it sent RELOADING=1, and no READY=1 since.</summary>
    public bool IsReloading { get; internal set; }

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
}
