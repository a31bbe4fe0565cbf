using System.Globalization;
using System.Text;

namespace Supervisor.Daemon.Control;

/// <summary>Samples of <see cref="Metric"/>s, and their text. One thread at a time adds; any thread may read what is complete.</summary>
internal sealed class MetricSamples
{
    private const string Suffix = "_total";

    private readonly Dictionary<Metric, List<(string[] Labels, double Value)>> _samples = [];
    private readonly Lazy<string> _text;
    private readonly Lazy<string> _openMetrics;

    public MetricSamples()
    {
        _text = new Lazy<string>(() => Write(asOpenMetrics: false));
        _openMetrics = new Lazy<string>(() => Write(asOpenMetrics: true));
    }

    /// <summary>All samples in Prometheus' text format 0.0.4. Complete them first.</summary>
    public string Text => _text.Value;

    /// <summary>All samples as OpenMetrics 1.0. Complete them first.</summary>
    public string OpenMetrics => _openMetrics.Value;

    /// <summary>Adds a sample; none for null.</summary>
    /// <param name="metric">The metric.</param>
    /// <param name="value">The value.</param>
    /// <param name="labels">The values of its labels, in their order.</param>
    public void Add(Metric metric, double? value, params string[] labels)
    {
        if (value is { } present)
        {
            if (!_samples.TryGetValue(metric, out var samples))
            {
                _samples.Add(metric, samples = []);
            }

            samples.Add((labels, present));
        }
    }

    private string Write(bool asOpenMetrics)
    {
        var text = new StringBuilder();
        foreach (var metric in Metric.All)
        {
            if (!_samples.TryGetValue(metric, out var samples))
            {
                continue;
            }

            // OpenMetrics names a counter without the suffix of its samples.
            var isCounter = metric.Name.EndsWith(Suffix, StringComparison.Ordinal);
            var name = asOpenMetrics && isCounter ? metric.Name[..^Suffix.Length] : metric.Name;
            text.Append("# HELP ").Append(name).Append(' ').Append(metric.Help).Append(".\n")
                .Append("# TYPE ").Append(name).Append(' ').Append(metric.Type).Append('\n');
            foreach (var (labels, value) in samples)
            {
                Write(text, metric, labels, value);
            }
        }

        return asOpenMetrics ? text.Append("# EOF\n").ToString() : text.ToString();
    }

    private static void Write(StringBuilder text, Metric metric, string[] labels, double value)
    {
        text.Append(metric.Name);
        for (var i = 0; i < labels.Length; i++)
        {
            text.Append(i == 0 ? '{' : ',').Append(metric.Labels[i]).Append("=\"").Append(Escape(labels[i])).Append('"');
        }

        text.Append(labels.Length > 0 ? "} " : " ").Append(value.ToString("0.######", CultureInfo.InvariantCulture)).Append('\n');
    }

    private static string Escape(string text) => text
        .Replace("\\", "\\\\", StringComparison.Ordinal)
        .Replace("\"", "\\\"", StringComparison.Ordinal)
        .Replace("\n", "\\n", StringComparison.Ordinal);
}
