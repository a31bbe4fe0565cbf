using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace Supervisor.Core.Protocols;

/// <summary>
/// A message to the command socket of Einhorn: a line with a mapping in YAML, in which "%0A" stands for a line break and "%25" for "%".
/// Workers write a flow mapping, which is JSON, or a block mapping (Einhorn's README, "Manual ACK", and its lib/einhorn/client.rb).
/// </summary>
/// <param name="Command">The value of <c>command</c>.</param>
/// <param name="Pid">The value of <c>pid</c>; null if there is none, or it is not a number.</param>
public sealed record EinhornMessage(string Command, int? Pid)
{
    /// <summary>The most bytes of a line, with its line break.</summary>
    public const int MaxBytes = 4096;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The worker is ready.</summary>
    public bool IsAck => Command == "worker:ack";

    /// <summary>The worker is alive.</summary>
    public bool IsPing => Command == "worker:ping";

    /// <summary>
    /// Reads a line without its line break. Other keys have no effect, and of a key that occurs twice the last one counts, as in YAML.
    /// </summary>
    /// <param name="line">The bytes.</param>
    /// <param name="message">The message.</param>
    /// <param name="problem">Why it is not a message.</param>
    public static bool TryParse(ReadOnlySpan<byte> line, [NotNullWhen(true)] out EinhornMessage? message, out string problem)
    {
        (message, problem) = (null, "");
        string text;
        try
        {
            text = Unescape(StrictUtf8.GetString(line)).Trim();
        }
        catch (DecoderFallbackException)
        {
            problem = "it is not UTF-8";
            return false;
        }

        string? command = null;
        int? pid = null;
        foreach (var (key, value) in Entries(text))
        {
            if (key == "command")
            {
                command = value;
            }
            else if (key == "pid")
            {
                pid = int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
            }
        }

        if (command is null)
        {
            problem = "it has no command";
            return false;
        }

        message = new EinhornMessage(command, pid);
        return true;
    }

    private static string Unescape(string text) =>
        text.Replace("%0A", "\n", StringComparison.OrdinalIgnoreCase).Replace("%25", "%", StringComparison.Ordinal);

    private static IEnumerable<(string Key, string Value)> Entries(string text)
    {
        var isFlow = text.StartsWith('{') && text.EndsWith('}');
        foreach (var entry in isFlow ? Split(text[1..^1]) : text.Split('\n'))
        {
            var (key, after) = Scalar(entry.Trim(), isKey: true);
            if (after.StartsWith(':'))
            {
                yield return (key, Scalar(after[1..].Trim(), isKey: false).Text);
            }
        }
    }

    /// <summary>The entries of a flow mapping: a comma in quotation marks ends none.</summary>
    private static IEnumerable<string> Split(string text)
    {
        var quote = '\0';
        var begin = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (quote == '\0' && text[i] == ',')
            {
                yield return text[begin..i];
                begin = i + 1;
            }
            else if (quote == '\0' && text[i] is ('"' or '\''))
            {
                quote = text[i];
            }
            else if (text[i] == quote)
            {
                quote = '\0';
            }
        }

        yield return text[begin..];
    }

    /// <summary>A quoted or plain scalar, and what follows it. A plain key ends at its colon.</summary>
    private static (string Text, string After) Scalar(string text, bool isKey)
    {
        if (text.Length > 1 && text[0] is ('"' or '\'') && text.IndexOf(text[0], 1) is > 0 and var end)
        {
            return (text[1..end], text[(end + 1)..].Trim());
        }

        var colon = isKey ? text.IndexOf(':', StringComparison.Ordinal) : -1;
        return colon < 0 ? (text, "") : (text[..colon].Trim(), text[colon..]);
    }
}
