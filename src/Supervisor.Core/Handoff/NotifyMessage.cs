using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Supervisor.Core.Handoff;

/// <summary>One datagram of the notify protocol, sd_notify(3): lines of NAME=VALUE. Unknown names are kept and harmless.</summary>
/// <param name="Assignments">Name and value of each line, in order.</param>
public sealed record NotifyMessage(ImmutableArray<KeyValuePair<string, string>> Assignments)
{
    /// <summary>Bytes that a message may have; systemd takes as many (NOTIFY_BUFFER_MAX is a page).</summary>
    public const int MaxBytes = 4096;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>READY=1.</summary>
    public bool IsReady => Has("READY", "1");

    /// <summary>STOPPING=1.</summary>
    public bool IsStopping => Has("STOPPING", "1");

    /// <summary>BARRIER=1.</summary>
    public bool IsBarrier => Has("BARRIER", "1");

    /// <summary>STATUS=, the last one; null without.</summary>
    public string? Status => Assignments.LastOrDefault(pair => pair.Key == "STATUS").Value;

    /// <summary>Parses a datagram. On failure <paramref name="error"/> says what is wrong with it.</summary>
    public static bool TryParse(ReadOnlySpan<byte> data, [NotNullWhen(true)] out NotifyMessage? message, [NotNullWhen(false)] out string? error)
    {
        message = null;
        string text;
        try
        {
            text = StrictUtf8.GetString(data);
        }
        catch (DecoderFallbackException)
        {
            error = "it is not UTF-8";
            return false;
        }

        var assignments = ImmutableArray.CreateBuilder<KeyValuePair<string, string>>();
        foreach (var line in text.Split('\n'))
        {
            if (line.Length == 0)
            {
                continue;
            }

            var equals = line.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0)
            {
                error = "a line of it is no NAME=VALUE";
                return false;
            }

            assignments.Add(new(line[..equals], line[(equals + 1)..]));
        }

        message = new NotifyMessage(assignments.ToImmutable());
        error = null;
        return true;
    }

    private bool Has(string name, string value) => Assignments.Any(pair => pair.Key == name && pair.Value == value);
}
